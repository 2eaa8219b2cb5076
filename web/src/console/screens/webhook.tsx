import { useState } from 'preact/hooks';
import { count, when } from '../format';
import { useAction, useLoad, useNoEmptyPage, usePoll } from '../hooks';
import { Ago, Badge, Facts, Heading, Segments, type Tone } from '../parts/bits';
import { Dialog } from '../parts/dialog';
import { Form } from '../parts/form';
import { Pager } from '../parts/pager';
import { EmptyState, Failed, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { useQuery } from '../router';
import { useApp } from '../session';
import type { Delivery, DeliveryStatus } from '../shapes';
import { Enabled, WebhookDialog } from './webhooks';

const PER_PAGE = 25;
const EVERY_MS = 4000;
const STATUSES = [
  ['', 'All'],
  ['PENDING', 'Pending'],
  ['DELIVERED', 'Delivered'],
  ['FAILED', 'Failed'],
] as const;
const TONES: Record<DeliveryStatus, Tone> = { PENDING: 'warn', DELIVERED: 'good', FAILED: 'bad' };
const WORDS: Record<DeliveryStatus, string> = { PENDING: 'Pending', DELIVERED: 'Delivered', FAILED: 'Failed' };

const Status = ({ of }: { of: DeliveryStatus }) => <Badge tone={TONES[of]}>{WORDS[of]}</Badge>;

/** A webhook and what it was told. */
export function WebhookScreen({ id }: { id: string }) {
  const { api, at } = useApp();
  const hook = useLoad(
    async (signal) => {
      const [webhook, events] = await Promise.all([api.webhook(id, signal), api.webhookEvents(signal)]);
      return { webhook, events };
    },
    [api, id],
  );
  const [editing, setEditing] = useState(false);
  const webhook = hook.data?.webhook;
  return (
    <>
      <Heading title={webhook?.name ?? 'Webhook'} back={{ label: 'Webhooks', href: at('webhooks') }}>
        <button type="button" class="button" disabled={!webhook} onClick={() => setEditing(true)}>
          Edit
        </button>
      </Heading>
      {hook.error && <Failed error={hook.error} onRetry={hook.reload} />}
      <Facts
        of={[
          ['Status', webhook ? <Enabled webhook={webhook} /> : '…'],
          ['Address', <code>{webhook?.url ?? '…'}</code>],
          ['Events', webhook ? webhook.events.join(', ') : '…'],
        ]}
      />
      {!(hook.error && !webhook) && <Log webhook={id} />}
      {editing && hook.data && (
        <WebhookDialog
          events={hook.data.events}
          webhook={hook.data.webhook}
          onClose={() => setEditing(false)}
          onSaved={hook.reload}
        />
      )}
    </>
  );
}

function Log({ webhook }: { webhook: string }) {
  const { api } = useApp();
  const [query, setQuery] = useQuery('status', 'page');
  const page = Number(query.page) || 1;
  const { status } = query;
  const found = usePoll(
    (signal) => api.deliveries(webhook, { page_no: page, per_page: PER_PAGE, status }, { signal, quiet: true }),
    EVERY_MS,
    [api, webhook, page, status],
  );
  useNoEmptyPage(found.data, page, () => setQuery({ page: '' }));
  const [open, setOpen] = useState<string>();
  const rows = found.data?.items;
  const shown = rows?.find(({ id }) => id === open);
  return (
    <section class="section" aria-labelledby="deliveries">
      <div class="section-head">
        <h2 id="deliveries">Deliveries of the last 30 days</h2>
        <Segments
          label="Status"
          value={status}
          choices={STATUSES}
          onValue={(to) => setQuery({ status: to, page: '' })}
        />
      </div>
      <Table
        caption="Deliveries"
        rows={rows}
        rowKey={({ id }) => id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        columns={[
          { title: 'Event', cell: ({ event }) => <code>{event}</code> },
          { title: 'Status', cell: ({ status }) => <Status of={status} /> },
          { title: 'Answer', cell: (delivery) => delivery.response_status ?? delivery.error ?? '–', room: 'minor' },
          { title: 'Attempts', cell: ({ attempt_count }) => attempt_count, room: 'least', right: true },
          { title: 'When', cell: ({ created_at }) => <Ago time={created_at} />, room: 'least' },
        ]}
        actions={(delivery) => (
          <button
            type="button"
            class="button small"
            aria-label={`Details of ${delivery.event}, ${when(delivery.created_at)}`}
            onClick={() => setOpen(delivery.id)}
          >
            Details
          </button>
        )}
        empty={
          <EmptyState title={status ? 'No delivery has this status.' : 'Nothing has been delivered yet.'}>
            {!status && <p>What this webhook is told appears here, with every attempt.</p>}
          </EmptyState>
        }
      />
      <Pager
        paging={found.data?.paging}
        page={page}
        perPage={PER_PAGE}
        onPage={(to) => setQuery({ page: String(to) })}
      />
      {shown && (
        <DeliveryDialog webhook={webhook} delivery={shown} onClose={() => setOpen(undefined)} onQueued={found.reload} />
      )}
    </section>
  );
}

function DeliveryDialog({
  webhook,
  delivery,
  onClose,
  onQueued,
}: {
  webhook: string;
  delivery: Delivery;
  onClose: () => void;
  onQueued: () => void;
}) {
  const { api } = useApp();
  const action = useAction();
  const { status, next_attempt_at, attempts, attempt_count } = delivery;
  const redeliver = async () => {
    await api.redeliver(webhook, delivery.id);
    toast('It is delivered once more.');
    onQueued();
  };
  return (
    <Dialog title={delivery.event} onClose={onClose} wide>
      <Facts
        of={[
          ['Status', <Status of={status} />],
          ['Queued', when(delivery.created_at)],
          ['Next attempt', next_attempt_at ? when(next_attempt_at) : '–'],
          ['Id', <code>{delivery.id}</code>],
        ]}
      />
      <h3 class="dialog-part">Payload</h3>
      <pre class="payload" tabIndex={0} aria-label="Payload">
        {JSON.stringify(delivery.payload, null, 2)}
      </pre>
      <h3 class="dialog-part">{count(attempt_count, 'attempt')}</h3>
      <ol class="attempts">
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <span>
              {attempt.number}. {when(attempt.started_at)}
            </span>
            <Badge tone={attempt.error ? 'bad' : 'good'}>
              {attempt.response_status ?? (attempt.error ? 'no answer' : 'under way')}
            </Badge>
            {attempt.duration_ms != null && <span class="dim">{attempt.duration_ms} ms</span>}
            {attempt.error && <span class="fault">{attempt.error}</span>}
            {attempt.response_body && <pre>{attempt.response_body}</pre>}
          </li>
        ))}
      </ol>
      <Form
        action={action}
        submit="Deliver again"
        cancel="Done"
        disabled={status === 'PENDING'}
        onSubmit={redeliver}
        onCancel={onClose}
      >
        {status === 'PENDING' && <p class="hint">It is on its way. When it has ended it can be delivered again.</p>}
      </Form>
    </Dialog>
  );
}
