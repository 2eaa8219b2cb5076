import { useEffect, useRef, useState } from 'preact/hooks';
import type { Meeting } from './kit';
import { isUp } from './server';

/** How long the client may take to find its way back before it is worth saying so. */
const PATIENCE_MS = 3_000;
const POLL_MS = 2_000;
/** After so many answers of the server the client should have come back by itself. */
const ANSWERS = 5;

interface Props {
  meeting: Meeting;
  show: (meeting: Meeting, place: HTMLElement) => void;
  onEnded: (state: string) => void;
}

/** The kit's meeting, with what it does not say by itself in lines above it. */
export function MeetingView({ meeting, show, onEnded }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = meeting.meta.meetingTitle || 'Meeting';
    show(meeting, place.current!);
    // While the client is trying to come back it is out of the meeting, too, but only for now.
    const trying = (state: string) => state === 'disconnected' && meeting.meta.socketState.state !== 'failed';
    const left = ({ state }: { state: string }) => {
      if (!trying(state)) onEnded(state);
    };
    meeting.self.on('roomLeft', left);
    return () => void meeting.self.removeListener('roomLeft', left);
  }, [meeting]);
  return (
    <div class="meeting">
      <ConnectionHint meeting={meeting} />
      <DeviceHint meeting={meeting} />
      <div class="kit" ref={place} />
    </div>
  );
}

/** While the signalling socket is away: whether the server answers, and a way out when the client does not come back. */
function ConnectionHint({ meeting }: { meeting: Meeting }) {
  const [away, setAway] = useState(false);
  const [answers, setAnswers] = useState(0);
  useEffect(() => {
    const update = ({ state }: { state: string }) => setAway(state !== 'connected');
    meeting.meta.on('socketConnectionUpdate', update);
    return () => void meeting.meta.removeListener('socketConnectionUpdate', update);
  }, [meeting]);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    setAnswers(0);
    setShown(false);
    if (!away) return;
    const late = setTimeout(() => setShown(true), PATIENCE_MS);
    const poll = setInterval(() => void isUp().then((up) => setAnswers((n) => (up ? n + 1 : 0))), POLL_MS);
    return () => {
      clearTimeout(late);
      clearInterval(poll);
    };
  }, [away]);
  if (!shown) return null;
  return (
    <div class="hint" role="status">
      {answers === 0 ? 'The server does not answer. Trying again…' : 'The server answers again. Coming back…'}
      {answers >= ANSWERS && (
        <button type="button" onClick={() => location.reload()}>
          Join again
        </button>
      )}
    </div>
  );
}

const REFUSED = new Set(['DENIED', 'SYSTEM_DENIED', 'CANCELED']);
const MISSING = new Set(['NO_DEVICES_AVAILABLE', 'COULD_NOT_START']);
const NAMES = { audio: 'microphone', video: 'camera' } as const;
type Kind = keyof typeof NAMES;

/** A camera or microphone that was refused or does not start: one can join all the same. */
function DeviceHint({ meeting }: { meeting: Meeting }) {
  const [states, setStates] = useState<Partial<Record<Kind, string>>>(() => ({ ...meeting.self.mediaPermissions }));
  const [closed, setClosed] = useState(false);
  useEffect(() => {
    const update = ({ kind, message }: { kind: string; message: string }) => {
      if (kind in NAMES) setStates((last) => ({ ...last, [kind]: message }));
    };
    meeting.self.on('mediaPermissionUpdate', update);
    return () => void meeting.self.removeListener('mediaPermissionUpdate', update);
  }, [meeting]);
  const these = (among: Set<string>) =>
    (Object.keys(NAMES) as Kind[]).filter((kind) => among.has(states[kind] ?? '')).map((kind) => NAMES[kind]);
  const refused = these(REFUSED);
  const missing = these(MISSING);
  if (closed || refused.length + missing.length === 0) return null;
  return (
    <div class="hint" role="status">
      {refused.length > 0 && (
        <span>
          Your browser does not give this page the {refused.join(' and the ')}. You can join without; to allow it, use the
          sign beside the address, then load the page again.
        </span>
      )}
      {missing.length > 0 && <span>The {missing.join(' and the ')} did not start. You can join without.</span>}
      <button type="button" onClick={() => setClosed(true)}>
        Close
      </button>
    </div>
  );
}
