import { Heading } from '../parts/bits';
import { EmptyState } from '../parts/table';
import { to } from '../router';

export function NotFound() {
  return (
    <>
      <Heading title="Not found" />
      <EmptyState title="There is nothing at this address.">
        <p>It may have been deleted, or belong to another account.</p>
        <a class="button" href={to()}>
          To the meetings
        </a>
      </EmptyState>
    </>
  );
}
