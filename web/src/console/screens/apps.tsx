import { useState } from 'preact/hooks';
import { useAction } from '../hooks';
import { Ago, Heading } from '../parts/bits';
import { Dialog, useStillOpen } from '../parts/dialog';
import { Form, TextField } from '../parts/form';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { to } from '../router';
import { useConsole } from '../session';
import type { App } from '../shapes';

export function Apps() {
  const { apps, reloadApps } = useConsole();
  const [open, setOpen] = useState<{ app?: App }>();
  const create = (
    <button type="button" class="button primary" onClick={() => setOpen({})}>
      New app
    </button>
  );
  return (
    <>
      <Heading title="Apps">{create}</Heading>
      <Table
        caption="Apps"
        rows={apps}
        rowKey={({ id }) => id}
        loading={false}
        columns={[
          { title: 'Name', cell: ({ id, name }) => <a href={to('apps', id, 'meetings')}>{name || 'Unnamed app'}</a> },
          { title: 'Id', cell: ({ id }) => <code>{id}</code>, room: 'minor' },
          { title: 'Created', cell: ({ created_at }) => <Ago time={created_at} />, room: 'least' },
        ]}
        actions={(app) => (
          <button
            type="button"
            class="button small"
            aria-label={`Rename ${app.name ?? app.id}`}
            onClick={() => setOpen({ app })}
          >
            Rename
          </button>
        )}
        empty={
          <EmptyState title="No apps yet.">
            <p>An app has its own meetings, presets and webhooks, apart from those of other apps.</p>
            {create}
          </EmptyState>
        }
      />
      {open && <AppDialog app={open.app} onClose={() => setOpen(undefined)} onSaved={reloadApps} />}
    </>
  );
}

function AppDialog({ app, onClose, onSaved }: { app: App | undefined; onClose: () => void; onSaved: () => void }) {
  const { account } = useConsole();
  const action = useAction();
  const [name, setName] = useState(app?.name ?? '');
  const close = useStillOpen(onClose);
  const onSubmit = async () => {
    if (app) await account.renameApp(app.id, name);
    else await account.createApp(name);
    toast(app ? 'The app is renamed.' : 'The app is made.');
    onSaved();
    close();
  };
  return (
    <Dialog title={app ? 'Rename app' : 'New app'} onClose={onClose}>
      <Form action={action} submit={app ? 'Rename' : 'Create'} onSubmit={onSubmit} onCancel={onClose}>
        <TextField label="Name" name="name" value={name} onValue={setName} required autofocus />
      </Form>
    </Dialog>
  );
}
