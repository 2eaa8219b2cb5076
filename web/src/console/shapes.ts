// What the management API tells and takes, as far as the console needs it. Times are RFC 3339 in UTC.

export interface App {
  id: string;
  name?: string | null;
  created_at: string;
}

export type MeetingStatus = 'ACTIVE' | 'INACTIVE';

export interface Meeting {
  id: string;
  title?: string | null;
  status: MeetingStatus;
  record_on_start: boolean;
  live_stream_on_start: boolean;
  persist_chat: boolean;
  transcribe_on_end: boolean;
  summarize_on_end: boolean;
  session_keep_alive_time_in_secs: number;
  recording_config?: Json | null;
  ai_config?: Json | null;
  created_at: string;
  updated_at: string;
}

export interface Participant {
  id: string;
  custom_participant_id: string;
  preset_name: string;
  name?: string | null;
  picture?: string | null;
  /** Told of one participant, not in lists. */
  banned?: boolean | null;
  created_at: string;
  updated_at: string;
}

export interface ParticipantToken {
  token: string;
  expires_at: string;
}

export interface NewParticipant {
  custom_participant_id: string;
  preset_name: string;
  name?: string | null;
  picture?: string | null;
  expires_in?: number;
}

export interface Session {
  id: string;
  /** The meeting. */
  associated_id: string;
  meeting_display_name: string;
  type: string;
  status: 'LIVE' | 'ENDED';
  live_participants: number;
  max_concurrent_participants: number;
  minutes_consumed: number;
  started_at: string;
  ended_at?: string | null;
  created_at: string;
}

export interface PeerEvent {
  id: string;
  event_name: 'PEER_CREATED' | 'PEER_JOINING' | 'PEER_LEAVING';
  created_at: string;
}

/** One connection of a participant to a session. */
export interface Stay {
  /** The peer. */
  id: string;
  /** The participant. */
  user_id: string;
  custom_participant_id: string;
  display_name?: string | null;
  preset_name: string;
  joined_at: string;
  /** Absent while inside. */
  left_at?: string | null;
  /** Minutes. */
  duration: number;
  peer_events?: PeerEvent[] | null;
}

export interface PresetSummary {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
}

export interface PresetBody {
  name: string;
  config: Json;
  permissions: Json;
  ui: Json;
  /** Kept by the server for its owner, as is `track_recording`. */
  version?: JsonValue;
  track_recording?: JsonValue;
}

export type Preset = PresetBody & PresetSummary;

export interface WebhookBody {
  name: string;
  url: string;
  events: string[];
  enabled: boolean;
}

export interface Webhook extends WebhookBody {
  id: string;
  created_at: string;
  updated_at: string;
}

export type DeliveryStatus = 'PENDING' | 'DELIVERED' | 'FAILED';

export interface Attempt {
  number: number;
  started_at: string;
  duration_ms?: number | null;
  response_status?: number | null;
  response_body?: string | null;
  error?: string | null;
}

export interface Delivery {
  id: string;
  session_id?: string | null;
  event: string;
  status: DeliveryStatus;
  payload: unknown;
  attempt_count: number;
  attempts: Attempt[];
  response_status?: number | null;
  error?: string | null;
  next_attempt_at?: string | null;
  finished_at?: string | null;
  created_at: string;
}

export interface Analytics {
  session_stats: {
    sessions_count: number;
    sessions_minutes_consumed: number;
    day_stats: { day: string; total_sessions: number; total_session_minutes: number }[];
  };
  recording_stats: {
    recording_count: number;
    recording_minutes_consumed: number;
    day_stats: { day: string; total_recordings: number; total_recording_minutes: number }[];
  };
}

export type Permission = 'realtime' | 'realtime-admin';

export interface ApiToken {
  id: string;
  name?: string | null;
  permission: Permission;
  created_at: string;
  expires_at?: string | null;
  last_used_at?: string | null;
}

export interface NewApiToken {
  name?: string;
  permission: Permission;
  /** Seconds; for ever when absent. */
  expires_in?: number;
}

export interface Json {
  [name: string]: JsonValue;
}
export type JsonValue = string | number | boolean | null | JsonValue[] | Json;
