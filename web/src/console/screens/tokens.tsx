import { useState } from 'preact/hooks';
import { useAction, useLoad } from '../hooks';
import { when } from '../format';
import { Ago, Badge, CopyField, Heading } from '../parts/bits';
import { Confirm, Dialog } from '../parts/dialog';
import { Form, SelectField, TextField, useValues, type Choice } from '../parts/form';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { useConsole } from '../session';
import type { ApiToken, Permission } from '../shapes';

const PERMISSIONS: readonly Choice[] = [
  ['realtime', 'Realtime: everything but API tokens'],
  ['realtime-admin', 'Realtime Admin: API tokens too'],
];
const LIVES: readonly Choice[] = [
  ['', 'For ever'],
  ['86400', '1 day'],
  ['2592000', '30 days'],
  ['7776000', '90 days'],
  ['31536000', '1 year'],
];

const nameOf = ({ name, id }: ApiToken): string => name || id;

export function Tokens() {
  const { account } = useConsole();
  const found = useLoad((signal) => account.tokens(signal), [account]);
  const [open, setOpen] = useState<'create' | ApiToken>();
  const close = () => setOpen(undefined);
  const refused = found.error?.status === 403;
  return (
    <>
      <Heading title="API tokens">
        <button type="button" class="button primary" disabled={refused} onClick={() => setOpen('create')}>
          New token
        </button>
      </Heading>
      {refused ? (
        <EmptyState title="Not with this token.">
          <p>Only a token with the permission Realtime Admin sees and changes API tokens.</p>
        </EmptyState>
      ) : (
        <Table
          caption="API tokens"
          rows={found.data}
          rowKey={({ id }) => id}
          loading={found.loading}
          error={found.error}
          onRetry={found.reload}
          expected={3}
          columns={[
            { title: 'Name', cell: (token) => token.name || <span class="dim">unnamed</span> },
            {
              title: 'Permission',
              cell: ({ permission }) => (
                <Badge>{permission === 'realtime-admin' ? 'Realtime Admin' : 'Realtime'}</Badge>
              ),
            },
            { title: 'Last used', cell: ({ last_used_at }) => <Ago time={last_used_at} />, room: 'least' },
            { title: 'Expires', cell: ({ expires_at }) => <Ago time={expires_at} />, room: 'minor' },
            { title: 'Created', cell: ({ created_at }) => <Ago time={created_at} />, room: 'least' },
          ]}
          actions={(token) => (
            <button
              type="button"
              class="button small danger-text"
              aria-label={`Revoke ${nameOf(token)}`}
              onClick={() => setOpen(token)}
            >
              Revoke
            </button>
          )}
          empty={<EmptyState title="No API tokens." />}
        />
      )}
      {open === 'create' && <NewToken onClose={close} onMade={found.reload} />}
      {open && open !== 'create' && (
        <Confirm
          title="Revoke this token?"
          verb="Revoke"
          onClose={close}
          onConfirm={async () => {
            await account.revokeToken(open.id);
            toast(`${nameOf(open)} is revoked.`);
            found.reload();
          }}
        >
          <p>
            Whatever uses <strong>{nameOf(open)}</strong> is refused from now on. If it is the one you signed in with,
            you are signed out.
          </p>
        </Confirm>
      )}
    </>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const { account } = useConsole();
  const action = useAction();
  const [made, setMade] = useState<ApiToken & { secret: string }>();
  const { values, bind } = useValues({ name: '', permission: 'realtime', expires_in: '' });
  const onSubmit = async () => {
    const { name, permission, expires_in } = values;
    const token = await account.createToken({
      permission: permission as Permission,
      ...(name && { name }),
      ...(expires_in && { expires_in: Number(expires_in) }),
    });
    setMade(token);
    onMade();
  };
  if (made) {
    return (
      <Dialog title="The new token" onClose={onClose}>
        <p class="notice warn">It is shown this once: copy it now.</p>
        <CopyField label="API token" value={made.secret} />
        {made.expires_at && <p class="hint">Works until {when(made.expires_at)}.</p>}
        <div class="form-buttons">
          <button type="button" class="button primary" onClick={onClose}>
            Done
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New API token" onClose={onClose}>
      <Form action={action} submit="Create" onSubmit={onSubmit} onCancel={onClose}>
        <TextField {...bind('name')} label="Name" autofocus hint="What it is for." />
        <SelectField {...bind('permission')} label="Permission" choices={PERMISSIONS} />
        <SelectField {...bind('expires_in')} label="Works" choices={LIVES} />
      </Form>
    </Dialog>
  );
}
