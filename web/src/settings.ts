/** What the server tells every page about itself: `GET /settings.json`. */
export interface Settings {
  /** Begins every link that is handed out, without a slash at its end. */
  public_url: string;
  /** Below it are the hosts that the client SDK asks, `name` or `name:port`. */
  base_domain: string;
  /** Whether this is `muster dev`, where `/dev-origin.js` leads the SDK's requests to the page's own origin. */
  dev: boolean;
}

export async function settings(): Promise<Settings> {
  const answer = await fetch('/settings.json');
  if (!answer.ok) throw new Error(`settings.json: ${answer.status}`);
  return (await answer.json()) as Settings;
}

/** The address at which the owner of `token` joins. What follows the `#` is sent to no server. */
export function joinLink(publicUrl: string, meetingId: string, token: string): string {
  return `${publicUrl}/meet/${meetingId}#token=${token}`;
}
