import { useState } from 'preact/hooks';
import { joinLink } from '../../settings';
import { when } from '../format';
import { useAction } from '../hooks';
import { CopyField, QrCode } from '../parts/bits';
import { Dialog } from '../parts/dialog';
import { Form, SelectField, type Choice } from '../parts/form';
import { useApp, useConsole } from '../session';
import type { Participant, ParticipantToken } from '../shapes';
import { nameOf } from './participants';

const LIVES: readonly Choice[] = [
  ['', 'As long as the server grants'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
];

/** Browsers give cameras and microphones to https and localhost only. */
export function isTrustworthy(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    hostname.startsWith('127.')
  );
}

export interface JoinLinkProps {
  meeting: string;
  person: Participant;
  /** One that was just made. */
  fresh?: ParticipantToken | undefined;
  onClose: () => void;
}

/** A new token for a participant, as a link to be sent or photographed. */
export function JoinLink({ meeting, person, fresh, onClose }: JoinLinkProps) {
  const { api } = useApp();
  const { publicUrl } = useConsole();
  const action = useAction();
  const [token, setToken] = useState(fresh);
  const [life, setLife] = useState('');
  const make = async () => setToken(await api.refreshToken(meeting, person.id, life ? Number(life) : undefined));
  const link = token && joinLink(publicUrl, meeting, token.token);
  return (
    <Dialog title={`Join link for ${nameOf(person)}`} onClose={onClose}>
      {link ? (
        <>
          {!isTrustworthy(publicUrl) && <PlainHttp url={publicUrl} />}
          <div class="link-and-code">
            <QrCode text={link} label={`QR code of the join link for ${nameOf(person)}`} />
            <div class="link-text">
              <CopyField label="Link" value={link} />
              <p class="hint">
                Whoever has it joins as {nameOf(person)}, until {when(token.expires_at)}.
              </p>
              <a class="button" href={link} target="_blank" rel="noreferrer">
                Open in a new tab
              </a>
            </div>
          </div>
          <div class="form-buttons">
            <button type="button" class="button" onClick={() => setToken(undefined)}>
              Make another
            </button>
            <button type="button" class="button primary" onClick={onClose}>
              Done
            </button>
          </div>
        </>
      ) : (
        <Form action={action} submit="Make link" onSubmit={make} onCancel={onClose}>
          <p>A new token is made for {nameOf(person)}. Links made before keep working until they expire.</p>
          <SelectField label="Works for" name="expires_in" value={life} onValue={setLife} choices={LIVES} />
        </Form>
      )}
    </Dialog>
  );
}

function PlainHttp({ url }: { url: string }) {
  return (
    <p class="notice warn">
      Links begin with <code>{url}</code>, which is neither https nor localhost: browsers refuse cameras and microphones
      there. Start the server with <code>--public-url</code> and an https address.
    </p>
  );
}
