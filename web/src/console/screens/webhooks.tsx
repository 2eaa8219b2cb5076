import { useState } from 'preact/hooks';
import { useAction, useLoad } from '../hooks';
import { Badge, Heading } from '../parts/bits';
import { Confirm, Dialog, useStillOpen } from '../parts/dialog';
import { CheckField, Form, TextField, useValues } from '../parts/form';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { useApp } from '../session';
import type { Webhook } from '../shapes';

type Open = { what: 'create' } | { what: 'edit' | 'delete'; webhook: Webhook };

export function Webhooks() {
  const { api, at } = useApp();
  const found = useLoad(
    async (signal) => {
      const [hooks, events] = await Promise.all([api.webhooks(signal), api.webhookEvents(signal)]);
      return { hooks, events };
    },
    [api],
  );
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const events = found.data?.events ?? [];
  const create = (
    <button type="button" class="button primary" disabled={!found.data} onClick={() => setOpen({ what: 'create' })}>
      New webhook
    </button>
  );
  return (
    <>
      <Heading title="Webhooks">{create}</Heading>
      <Table
        caption="Webhooks"
        rows={found.data?.hooks}
        rowKey={({ id }) => id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        expected={3}
        columns={[
          { title: 'Name', cell: ({ id, name }) => <a href={at('webhooks', id)}>{name}</a> },
          { title: 'Status', cell: (webhook) => <Enabled webhook={webhook} /> },
          { title: 'Address', cell: ({ url }) => <code>{url}</code>, room: 'minor' },
          {
            title: 'Events',
            cell: ({ events: told }) => (told.length === events.length ? 'all' : `${told.length} of ${events.length}`),
            room: 'least',
          },
        ]}
        actions={(webhook) => (
          <>
            <button
              type="button"
              class="button small"
              aria-label={`Edit ${webhook.name}`}
              onClick={() => setOpen({ what: 'edit', webhook })}
            >
              Edit
            </button>
            <button
              type="button"
              class="button small danger-text"
              aria-label={`Delete ${webhook.name}`}
              onClick={() => setOpen({ what: 'delete', webhook })}
            >
              Delete
            </button>
          </>
        )}
        empty={
          <EmptyState title="No webhooks yet.">
            <p>A webhook tells your application when sessions begin and end and people come and go.</p>
            {create}
          </EmptyState>
        }
      />
      {open?.what === 'create' && <WebhookDialog events={events} onClose={close} onSaved={found.reload} />}
      {open?.what === 'edit' && (
        <WebhookDialog events={events} webhook={open.webhook} onClose={close} onSaved={found.reload} />
      )}
      {open?.what === 'delete' && (
        <Confirm
          title="Delete this webhook?"
          verb="Delete"
          onClose={close}
          onConfirm={async () => {
            await api.deleteWebhook(open.webhook.id);
            toast(`${open.webhook.name} is deleted.`);
            found.reload();
          }}
        >
          <p>
            <strong>{open.webhook.name}</strong> is told nothing more, and its log goes away. To pause it, turn it off
            instead.
          </p>
        </Confirm>
      )}
    </>
  );
}

export const Enabled = ({ webhook }: { webhook: Webhook }) =>
  webhook.enabled ? <Badge tone="good">On</Badge> : <Badge>Off</Badge>;

export function WebhookDialog({
  events,
  webhook,
  onClose,
  onSaved,
}: {
  events: string[];
  webhook?: Webhook;
  onClose: () => void;
  onSaved: () => void;
}) {
  const { api } = useApp();
  const action = useAction();
  const { values, set, bind } = useValues({
    name: webhook?.name ?? '',
    url: webhook?.url ?? '',
    events: webhook?.events ?? events,
    enabled: webhook?.enabled ?? true,
  });
  const close = useStillOpen(onClose);
  const onSubmit = async () => {
    if (webhook) await api.updateWebhook(webhook.id, values);
    else await api.createWebhook(values);
    toast(webhook ? 'The webhook is changed.' : 'The webhook is made.');
    onSaved();
    close();
  };
  const toggle = (event: string, on: boolean) =>
    set({ events: events.filter((other) => (other === event ? on : values.events.includes(other))) });
  return (
    <Dialog title={webhook ? 'Edit webhook' : 'New webhook'} onClose={onClose}>
      <Form action={action} submit={webhook ? 'Save' : 'Create'} onSubmit={onSubmit} onCancel={onClose}>
        <TextField {...bind('name')} label="Name" required autofocus />
        <TextField {...bind('url')} label="Address" type="url" required placeholder="https://example.org/hook" />
        <fieldset class="checks">
          <legend>Events</legend>
          {events.map((event) => (
            <CheckField
              key={event}
              label={event}
              name={`events.${event}`}
              value={values.events.includes(event)}
              onValue={(on) => toggle(event, on)}
            />
          ))}
        </fieldset>
        <CheckField {...bind('enabled')} label="On" />
      </Form>
    </Dialog>
  );
}
