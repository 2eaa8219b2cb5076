import { useEffect, useRef, useState } from 'preact/hooks';
import { settings } from '../settings';
import type { Meeting } from './kit';
import { MeetingView } from './meeting';
import { ENDINGS, obstacle, type Problem, type ProblemName, PROBLEMS } from './problems';
import { isUp, reaches, runScript, standing, untilUp } from './server';
import { type Invitation, takeInvitation } from './token';

type Stage =
  | { at: 'opening' }
  | { at: 'problem'; name: ProblemName }
  | { at: 'meeting'; invitation: Invitation; meeting: Meeting; show: (meeting: Meeting, place: HTMLElement) => void };

/** The client's code for a join that failed. The kit then blames the network, whatever the reason. */
const JOIN_FAILED = '0002';

/** Everything up to the meeting itself: answers the first thing that stands in the way. */
async function open(): Promise<Stage> {
  const problem = (name: ProblemName): Stage => ({ at: 'problem', name });
  const invitation = takeInvitation();
  const inTheWay = obstacle();
  if (inTheWay !== null) return problem(inTheWay);
  if (invitation === null) return problem('noToken');
  const stands = await standing(invitation);
  if (stands !== 'welcome') return problem(stands);
  const { base_domain: base, dev } = await settings();
  if (dev) await runScript('/dev-origin.js');
  else if (!(await reaches(`api.${base}`))) return problem('hosts');
  const kit = await import('./kit');
  return { at: 'meeting', invitation, meeting: await kit.enter(invitation.token, base), show: kit.show };
}

export function MeetPage() {
  const [stage, setStage] = useState<Stage>({ at: 'opening' });
  const begin = () => {
    setStage({ at: 'opening' });
    open().then(setStage, async (reason: unknown) => {
      console.error(reason);
      setStage({ at: 'problem', name: (await isUp()) ? 'broken' : 'gone' });
    });
  };
  useEffect(begin, []);
  useEffect(() => {
    // Another link to the same meeting, opened in this tab, changes what follows the # alone.
    const again = () => location.hash.includes('token=') && (takeInvitation(), location.reload());
    addEventListener('hashchange', again);
    return () => removeEventListener('hashchange', again);
  }, []);

  useEffect(() => {
    if (stage.at !== 'meeting') return;
    const failed = async (event: Event) => {
      if ((event as CustomEvent<{ code?: string }>).detail?.code !== JOIN_FAILED) return;
      const stands = await standing(stage.invitation);
      if (stands !== 'welcome' && stands !== 'gone') setStage({ at: 'problem', name: stands });
    };
    addEventListener('ClientError', failed);
    return () => removeEventListener('ClientError', failed);
  }, [stage]);

  if (stage.at === 'opening') return <Opening />;
  if (stage.at === 'problem') {
    return <ProblemPage problem={PROBLEMS[stage.name]} onBack={stage.name === 'gone' ? begin : undefined} />;
  }
  const ended = (state: string) => {
    const name = ENDINGS[state];
    if (name !== undefined) setStage({ at: 'problem', name });
  };
  return <MeetingView meeting={stage.meeting} show={stage.show} onEnded={ended} />;
}

function Opening() {
  return (
    <main class="notice" aria-busy="true">
      <div class="spinner" />
      <p role="status">Opening the meeting…</p>
    </main>
  );
}

/** `onBack` is done as soon as the server answers; without it, the page offers to be loaded again. */
function ProblemPage({ problem, onBack }: { problem: Problem; onBack: (() => void) | undefined }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [up, setUp] = useState(!problem.waits);
  useEffect(() => {
    document.title = problem.title;
    heading.current?.focus();
    if (!problem.waits) return;
    const stop = new AbortController();
    void untilUp(stop.signal).then(() => {
      if (stop.signal.aborted) return;
      setUp(true);
      onBack?.();
    });
    return () => stop.abort();
  }, [problem]);
  return (
    <main class="notice">
      <h1 ref={heading} tabIndex={-1}>
        {problem.title}
      </h1>
      <p>{problem.text}</p>
      {problem.waits && <p role="status">{up ? 'The server answers again.' : 'Waiting for the server…'}</p>}
      {problem.again && (
        <button type="button" disabled={!up} onClick={() => location.reload()}>
          {problem.waits ? 'Join again' : 'Try again'}
        </button>
      )}
    </main>
  );
}
