import type { ComponentChildren } from 'preact';
import { useLasting } from '../hooks';
import type { ApiError } from '../http';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Left out where there is little room, `least` first. */
  room?: 'minor' | 'least';
  /** Numbers stand at the right. */
  right?: boolean;
}

export interface TableProps<T> {
  /** What the table is of, for who cannot see it. */
  caption: string;
  columns: Column<T>[];
  rows: T[] | undefined;
  rowKey: (row: T) => string;
  loading: boolean;
  error?: ApiError | undefined;
  onRetry?: () => void;
  /** Buttons at the end of a row. */
  actions?: (row: T) => ComponentChildren;
  /** In place of rows when there are none. */
  empty: ComponentChildren;
  /** For how many rows room is kept while the first ones are on their way. */
  expected?: number;
}

/** Its roles are said, since on a phone it is not laid out as a table, whereupon browsers may not take it for one. */
export function Table<T>({
  caption,
  columns,
  rows,
  rowKey,
  loading,
  error,
  onRetry,
  actions,
  empty,
  expected = 6,
}: TableProps<T>) {
  const stale = useLasting(loading && rows !== undefined);
  if (error && rows === undefined) return <Failed error={error} onRetry={onRetry} />;
  if (rows?.length === 0 && !loading) return <>{empty}</>;
  const shape = (column: Column<T>) =>
    [column.room ?? '', column.right ? 'right' : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class={stale ? 'table-box stale' : 'table-box'} aria-busy={loading}>
      {error && <Failed error={error} onRetry={onRetry} />}
      <table class="table" role="table">
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.title} role="columnheader" scope="col" class={shape(column)}>
                {column.title}
              </th>
            ))}
            {actions && (
              <th role="columnheader" scope="col" class="right">
                <span class="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows?.map((row) => (
            <tr key={rowKey(row)} role="row">
              {columns.map((column) => (
                <td key={column.title} role="cell" class={shape(column)}>
                  {column.cell(row)}
                </td>
              ))}
              {actions && (
                <td role="cell" class="row-actions">
                  {actions(row)}
                </td>
              )}
            </tr>
          )) ?? <Skeleton columns={columns.map(shape)} rows={expected} more={actions !== undefined} />}
        </tbody>
      </table>
    </div>
  );
}

function Skeleton({ columns, rows, more }: { columns: (string | undefined)[]; rows: number; more: boolean }) {
  const bar = <span class="skeleton" />;
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <tr key={row} aria-hidden="true">
          {columns.map((shape, column) => (
            <td key={column} class={shape}>
              {bar}
            </td>
          ))}
          {more && <td class="row-actions">{bar}</td>}
        </tr>
      ))}
    </>
  );
}

export function Failed({ error, onRetry }: { error: ApiError; onRetry?: (() => void) | undefined }) {
  return (
    <div class="notice bad" role="alert">
      <span>{error.message}</span>
      {onRetry && (
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What there would be, and how to make the first one. */
export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
