// The operations of the management API that the console uses, one method each.

import { ApiError, Http, type Answer, type Ask, type Page } from './http';
import type {
  Analytics,
  ApiToken,
  App,
  Delivery,
  Json,
  Meeting,
  NewApiToken,
  NewParticipant,
  Participant,
  ParticipantToken,
  Preset,
  PresetBody,
  PresetSummary,
  Session,
  Stay,
  Webhook,
  WebhookBody,
} from './shapes';

export type Signal = AbortSignal | undefined;

const one = async <T>(answer: Promise<Answer<T>>): Promise<T> => (await answer).data;

const page = async <T>(answer: Promise<Answer<T[]>>): Promise<Page<T>> => {
  const { data, paging } = await answer;
  return { items: data, paging: paging ?? { total_count: data.length, start_offset: 1, end_offset: data.length } };
};

/** The account of a token. Throws an `ApiError` with status 401 where the token is not good. */
export async function accountOf(token: string): Promise<string> {
  const http = new Http(token);
  const verified = await http.ask<{ status: string }>('GET', '/user/tokens/verify');
  if (verified.result.status !== 'active') throw new ApiError(401, 'This API token is not active.');
  const { result } = await http.ask<{ id: string }[]>('GET', '/accounts');
  const account = result[0];
  if (!account) throw new ApiError(403, 'This API token has no account.');
  return account.id;
}

/** What belongs to the account. */
export class AccountApi {
  constructor(
    readonly http: Http,
    private readonly account: string,
  ) {}

  private readonly root = () => `/accounts/${this.account}/realtime`;

  apps = (signal?: Signal) =>
    page(this.http.ask<App[]>('GET', `${this.root()}/kit/apps`, { query: { per_page: 1000 }, signal }));
  createApp = async (name: string) =>
    (await one(this.http.ask<{ app: App }>('POST', `${this.root()}/kit/apps`, { body: { name } }))).app;
  renameApp = (id: string, name: string) =>
    one(this.http.ask<App>('PATCH', `${this.root()}/kit/apps/${id}`, { body: { name } }));

  tokens = (signal?: Signal) => one(this.http.ask<ApiToken[]>('GET', `${this.root()}/tokens`, { signal }));
  createToken = (body: NewApiToken) =>
    one(this.http.ask<ApiToken & { secret: string }>('POST', `${this.root()}/tokens`, { body }));
  revokeToken = (id: string) => one(this.http.ask<ApiToken>('DELETE', `${this.root()}/tokens/${id}`));

  app = (id: string) => new AppApi(this.http, `${this.root()}/kit/${id}`);
}

export interface List {
  page_no?: number;
  per_page?: number;
  search?: string | undefined;
}

/** What belongs to an app. */
export class AppApi {
  constructor(
    readonly http: Http,
    private readonly root: string,
  ) {}

  private get = <T>(path: string, ask: Ask = {}) => this.http.ask<T>('GET', this.root + path, ask);
  private post = <T>(path: string, body?: unknown) => one(this.http.ask<T>('POST', this.root + path, { body }));
  private put = <T>(path: string, body: unknown) => one(this.http.ask<T>('PUT', this.root + path, { body }));
  private patch = <T>(path: string, body: unknown) => one(this.http.ask<T>('PATCH', this.root + path, { body }));
  private remove = <T>(path: string, query: Ask['query'] = {}) =>
    one(this.http.ask<T>('DELETE', this.root + path, { query }));

  meetings = (query: List & { status?: string | undefined }, signal?: Signal) =>
    page(this.get<Meeting[]>('/meetings', { query: { ...query }, signal }));
  meeting = (id: string, signal?: Signal) => one(this.get<Meeting>(`/meetings/${id}`, { signal }));
  createMeeting = (body: Json) => this.post<Meeting>('/meetings', body);
  updateMeeting = (id: string, body: Json) => this.patch<Meeting>(`/meetings/${id}`, body);
  /** Also ends a session that is live. */
  deleteMeeting = (id: string) => this.remove<Meeting>(`/meetings/${id}`, { disconnect: true });

  /** `after` is the last participant of the page before: a page costs the same at any depth. */
  participants = (meeting: string, query: List & { after?: string | undefined }, signal?: Signal) =>
    page(this.get<Participant[]>(`/meetings/${meeting}/participants`, { query: { ...query }, signal }));
  participant = (meeting: string, id: string, signal?: Signal) =>
    one(this.get<Participant>(`/meetings/${meeting}/participants/${id}`, { signal }));
  addParticipant = (meeting: string, body: NewParticipant) =>
    this.post<Participant & ParticipantToken>(`/meetings/${meeting}/participants`, body);
  updateParticipant = (meeting: string, id: string, body: Json) =>
    this.patch<Participant & ParticipantToken>(`/meetings/${meeting}/participants/${id}`, body);
  refreshToken = (meeting: string, id: string, expires_in?: number) =>
    this.post<ParticipantToken>(
      `/meetings/${meeting}/participants/${id}/token`,
      expires_in === undefined ? {} : { expires_in },
    );
  /** Also ends the participant's connections. */
  removeParticipant = (meeting: string, id: string) =>
    this.remove<unknown>(`/meetings/${meeting}/participants/${id}`, { disconnect: true });

  /** Null while nobody is in the meeting. (`active-session` would answer 404 then, which browsers log as an error.) */
  activeSession = async (meeting: string, signal?: Signal): Promise<Session | null> => {
    const query = { meeting_id: meeting, status: 'LIVE', per_page: 1 };
    const { data } = await this.get<{ sessions: Session[] }>('/sessions', { query, signal, quiet: true });
    return data.sessions[0] ?? null;
  };
  kick = (meeting: string, participant: string, ban: boolean) =>
    this.post<unknown>(`/meetings/${meeting}/active-session/kick`, { participant_ids: [participant], ban });
  kickAll = (meeting: string) =>
    this.post<{ kicked_participants_count: number }>(`/meetings/${meeting}/active-session/kick-all`);
  mute = (meeting: string, participant: string) =>
    this.post<unknown>(`/meetings/${meeting}/active-session/mute`, { participant_ids: [participant] });
  muteAll = (meeting: string, allow_unmute: boolean) =>
    this.post<{ muted_participants_count: number }>(`/meetings/${meeting}/active-session/mute-all`, { allow_unmute });

  sessions = async (
    query: List & { status?: string | undefined; sort_by?: string; meeting_id?: string | undefined },
    signal?: Signal,
  ) => {
    const { data, paging } = await this.get<{ sessions: Session[] }>('/sessions', { query: { ...query }, signal });
    return { items: data.sessions, paging: paging! };
  };
  session = (id: string, signal?: Signal) => one(this.get<Session>(`/sessions/${id}`, { signal }));
  stays = async (
    session: string,
    query: List & { sort_order?: string; include_peer_events?: boolean },
    ask: Ask = {},
  ) => {
    const answer = await this.get<{ participants: Stay[] }>(`/sessions/${session}/participants`, {
      ...ask,
      query: { sort_by: 'joinedAt', ...query },
    });
    return { items: answer.data.participants, paging: answer.paging! };
  };
  chat = (session: string) =>
    one(this.get<{ chat_download_url: string; chat_download_url_expiry: string }>(`/sessions/${session}/chat`));

  presets = (query: List, signal?: Signal) =>
    page(this.get<PresetSummary[]>('/presets', { query: { ...query }, signal }));
  preset = (id: string, signal?: Signal) => one(this.get<Preset>(`/presets/${id}`, { signal }));
  createPreset = (body: Json) => this.post<Preset>('/presets', body);
  replacePreset = (id: string, body: PresetBody) => this.put<Preset>(`/presets/${id}`, body);
  /** Participants who hold it get `reassign_to`, the name of another. */
  deletePreset = (id: string, reassign_to?: string) => this.remove<Preset>(`/presets/${id}`, { reassign_to });

  webhooks = (signal?: Signal) => one(this.get<Webhook[]>('/webhooks', { signal }));
  webhook = (id: string, signal?: Signal) => one(this.get<Webhook>(`/webhooks/${id}`, { signal }));
  webhookEvents = (signal?: Signal) => one(this.get<string[]>('/webhooks/all', { signal }));
  createWebhook = (body: WebhookBody) => this.post<Webhook>('/webhooks', body);
  updateWebhook = (id: string, body: Partial<WebhookBody>) => this.patch<Webhook>(`/webhooks/${id}`, body);
  deleteWebhook = (id: string) => this.remove<Webhook>(`/webhooks/${id}`);
  deliveries = (webhook: string, query: List & { status?: string | undefined }, ask: Ask = {}) =>
    page(this.get<Delivery[]>(`/webhooks/${webhook}/deliveries`, { ...ask, query: { ...query } }));
  redeliver = (webhook: string, id: string) => this.post<Delivery>(`/webhooks/${webhook}/deliveries/${id}/redeliver`);

  analytics = (start_date: string, end_date: string, signal?: Signal) =>
    one(this.get<Analytics>('/analytics/daywise', { query: { start_date, end_date }, signal }));
}
