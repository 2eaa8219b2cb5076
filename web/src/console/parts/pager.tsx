import type { Paging } from '../http';
import { number } from '../format';

export interface PagerProps {
  paging: Paging | undefined;
  /** From 1. */
  page: number;
  perPage: number;
  onPage: (page: number) => void;
}

/** Its room is kept while there is nothing to say. */
export function Pager({ paging, page, perPage, onPage }: PagerProps) {
  const total = paging?.total_count ?? 0;
  const from = Math.min((page - 1) * perPage + 1, total);
  const until = Math.min(page * perPage, total);
  return (
    <nav class="pager" aria-label="Pages">
      <span aria-live="polite">
        {paging && total > 0 ? `${number(from)}–${number(until)} of ${number(total)}` : ''}
      </span>
      {total > perPage && (
        <>
          <button type="button" class="button small" disabled={page <= 1} onClick={() => onPage(page - 1)}>
            Previous
          </button>
          <button type="button" class="button small" disabled={until >= total} onClick={() => onPage(page + 1)}>
            Next
          </button>
        </>
      )}
    </nav>
  );
}
