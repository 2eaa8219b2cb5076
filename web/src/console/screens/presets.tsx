import { useState } from 'preact/hooks';
import { useAction, useLoad, useNoEmptyPage, useSearch } from '../hooks';
import { Ago, Heading, SearchBox } from '../parts/bits';
import { Confirm, Dialog } from '../parts/dialog';
import { Form, SelectField, TextField, useValues, type Choice } from '../parts/form';
import { Pager } from '../parts/pager';
import { EmptyState, Table } from '../parts/table';
import { toast } from '../parts/toast';
import { bodyOf } from '../preset-shape';
import { go, useQuery } from '../router';
import { useApp } from '../session';
import type { Json, PresetSummary } from '../shapes';

const PER_PAGE = 25;

type Open = { what: 'create'; from?: PresetSummary } | { what: 'delete'; preset: PresetSummary };

export function Presets() {
  const { api, at } = useApp();
  const [query, setQuery] = useQuery('search', 'page');
  const [typed, setTyped] = useSearch(query.search, (search) => setQuery({ search, page: '' }));
  const page = Number(query.page) || 1;
  const found = useLoad(
    (signal) => api.presets({ page_no: page, per_page: PER_PAGE, search: query.search }, signal),
    [api, page, query.search],
  );
  useNoEmptyPage(found.data, page, () => setQuery({ page: '' }));
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <>
      <Heading title="Presets">
        <button type="button" class="button primary" onClick={() => setOpen({ what: 'create' })}>
          New preset
        </button>
      </Heading>
      <div class="filters">
        <SearchBox label="Search name" value={typed} onValue={setTyped} />
      </div>
      <Table
        caption="Presets"
        rows={found.data?.items}
        rowKey={({ id }) => id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        columns={[
          { title: 'Name', cell: ({ id, name }) => <a href={at('presets', id)}>{name}</a> },
          { title: 'Changed', cell: ({ updated_at }) => <Ago time={updated_at} />, room: 'least' },
        ]}
        actions={(preset) => (
          <>
            <button
              type="button"
              class="button small"
              aria-label={`Duplicate ${preset.name}`}
              onClick={() => setOpen({ what: 'create', from: preset })}
            >
              Duplicate
            </button>
            <button
              type="button"
              class="button small danger-text"
              aria-label={`Delete ${preset.name}`}
              onClick={() => setOpen({ what: 'delete', preset })}
            >
              Delete
            </button>
          </>
        )}
        empty={
          <EmptyState title={query.search ? 'No preset matches.' : 'No presets.'}>
            {!query.search && <p>A preset says what a participant may do. Every participant has one.</p>}
          </EmptyState>
        }
      />
      <Pager
        paging={found.data?.paging}
        page={page}
        perPage={PER_PAGE}
        onPage={(to) => setQuery({ page: String(to) })}
      />
      {open?.what === 'create' && <NewPreset from={open.from} onClose={close} />}
      {open?.what === 'delete' && <DeletePreset preset={open.preset} onClose={close} onDeleted={found.reload} />}
    </>
  );
}

const useNames = () => {
  const { api } = useApp();
  return useLoad((signal) => api.presets({ per_page: 1000 }, signal), [api]).data?.items ?? [];
};

/** Makes a preset like another, or with the usual settings of a call. */
export function NewPreset({ from, onClose }: { from?: PresetSummary | undefined; onClose: () => void }) {
  const { api, at } = useApp();
  const action = useAction();
  const presets = useNames();
  const { values, bind } = useValues({ name: from ? `${from.name}_copy` : '', from: from?.id ?? '' });
  const onSubmit = async () => {
    const settings = values.from ? bodyOf(await api.preset(values.from)) : {};
    const { id } = await api.createPreset({ ...(settings as Json), name: values.name });
    toast('The preset is made.');
    onClose();
    go(at('presets', id));
  };
  const choices: Choice[] = [
    ['', 'The usual settings of a group call'],
    ...presets.map(({ id, name }): Choice => [id, name]),
  ];
  return (
    <Dialog title={from ? 'Duplicate preset' : 'New preset'} onClose={onClose}>
      <Form action={action} submit="Create" onSubmit={onSubmit} onCancel={onClose}>
        <TextField {...bind('name')} label="Name" required autofocus />
        <SelectField
          {...bind('from')}
          label="Begins as"
          choices={from && presets.length === 0 ? [[from.id, from.name]] : choices}
        />
      </Form>
    </Dialog>
  );
}

export function DeletePreset({
  preset,
  onClose,
  onDeleted,
}: {
  preset: PresetSummary;
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { api } = useApp();
  const presets = useNames();
  const [heir, setHeir] = useState('');
  const others = presets.filter(({ id }) => id !== preset.id).map(({ id, name }): Choice => [id, name]);
  return (
    <Confirm
      title="Delete this preset?"
      verb="Delete"
      onClose={onClose}
      onConfirm={async () => {
        await api.deletePreset(preset.id, heir || undefined);
        toast(`${preset.name} is deleted.`);
        onDeleted();
      }}
    >
      <p>
        <strong>{preset.name}</strong> goes away.
      </p>
      <SelectField
        label="Its participants get"
        name="reassign_to"
        value={heir}
        onValue={setHeir}
        choices={[['', 'Nothing: delete it only if nobody has it'], ...others]}
      />
    </Confirm>
  );
}
