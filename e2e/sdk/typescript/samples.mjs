// Request bodies that several checks share.

// Each of these must stay inside the server. The checks look for the text in every answer.
export const SECRETS = {
  access_key: 'SECRET-access-key',
  secret: 'SECRET-secret',
  password: 'SECRET-password',
  private_key: 'SECRET-private-key',
};

const { access_key, secret, password, private_key } = SECRETS;
const bucket = { bucket: 'recordings', region: 'eu-west-1', path: 'daily/' };
const sftp = { type: 'sftp', host: 'sftp.example.com', port: 22, username: 'muster', path: 'in/' };

// What is sent in each case. What comes back is the same without the secrets.
export const STORAGE_CONFIGS = [
  { type: 'aws', ...bucket, access_key, secret },
  { type: 'azure', ...bucket, access_key, secret },
  { type: 'digitalocean', ...bucket, access_key, secret },
  { type: 'gcs', ...bucket, secret },
  { ...sftp, auth_method: 'PASSWORD', password },
  { ...sftp, auth_method: 'KEY', private_key, password },
];

export const RECORDING_CONFIG = {
  max_seconds: 3600,
  file_name_prefix: 'weekly',
  video_config: {
    codec: 'H264',
    width: 1280,
    height: 720,
    export_file: true,
    watermark: {
      url: 'https://example.com/logo.png',
      position: 'right bottom',
      size: { width: 64, height: 32 },
    },
  },
  audio_config: { codec: 'AAC', channel: 'stereo', export_file: false },
  storage_config: STORAGE_CONFIGS[0],
  realtimekit_bucket_config: { enabled: true },
  live_streaming_config: { rtmp_url: 'rtmp://live.example.com/app/key' },
};

const AI_CONFIG = {
  transcription: { keywords: ['Muster'], language: 'de', profanity_filter: true },
  summarization: { word_limit: 300, text_format: 'plain_text', summary_type: 'team_meeting' },
};

// A meeting in which no field has its default.
export const FULL_MEETING = {
  title: 'Weekly',
  record_on_start: true,
  live_stream_on_start: true,
  persist_chat: true,
  session_keep_alive_time_in_secs: 120,
  transcribe_on_end: true,
  summarize_on_end: true,
  recording_config: RECORDING_CONFIG,
  ai_config: AI_CONFIG,
};

export const MEETING_DEFAULTS = {
  status: 'ACTIVE',
  record_on_start: false,
  live_stream_on_start: false,
  persist_chat: false,
  session_keep_alive_time_in_secs: 60,
  transcribe_on_end: false,
  summarize_on_end: false,
};

const PLUGIN_ID = '11111111-1111-4111-8111-111111111111';

// A preset in which every field of the contract is given.
const PRESET = {
  config: {
    view_type: 'WEBINAR',
    max_video_streams: { mobile: 3, desktop: 9 },
    max_screenshare_count: 2,
    livestream_viewer_qualities: [360, 720],
    media: {
      video: { quality: 'hd', frame_rate: 24, simulcast: true },
      screenshare: { quality: 'fhd', frame_rate: 10 },
      audio: { enable_high_bitrate: true, enable_stereo: true },
    },
  },
  permissions: {
    accept_stage_requests: true,
    accept_waiting_requests: true,
    can_accept_production_requests: true,
    can_change_participant_permissions: false,
    can_edit_display_name: false,
    can_livestream: false,
    can_record: true,
    can_spotlight: true,
    disable_participant_audio: true,
    disable_participant_screensharing: false,
    disable_participant_video: true,
    hidden_participant: false,
    is_recorder: false,
    kick_participant: true,
    pin_participant: false,
    recorder_type: 'NONE',
    show_participant_list: true,
    stage_access: 'CAN_REQUEST',
    stage_enabled: true,
    transcription_enabled: true,
    waiting_room_type: 'ON_PRIVILEGED_USER_ENTRY',
    media: {
      audio: { can_produce: 'ALLOWED' },
      video: { can_produce: 'CAN_REQUEST' },
      screenshare: { can_produce: 'NOT_ALLOWED' },
    },
    chat: {
      public: { can_send: true, text: true, files: false },
      private: { can_send: false, can_receive: true, text: true, files: false },
    },
    polls: { can_create: true, can_vote: false, can_view: true },
    plugins: {
      can_close: true,
      can_start: false,
      can_edit_config: true,
      config: { [PLUGIN_ID]: { access_control: 'VIEW_ONLY', handles_view_only: true } },
    },
    connected_meetings: {
      can_alter_connected_meetings: true,
      can_switch_connected_meetings: false,
      can_switch_to_parent_meeting: true,
    },
  },
  ui: {
    design_tokens: {
      border_radius: 'circular',
      border_width: 'fat',
      spacing_base: 8,
      theme: 'light',
      font_family: 'Inter',
      google_font: 'Inter',
      logo: 'https://example.com/logo.png',
      colors: {
        brand: { 300: '#100000', 400: '#200000', 500: '#300000', 600: '#400000', 700: '#500000' },
        background: {
          600: '#000100',
          700: '#000200',
          800: '#000300',
          900: '#000400',
          1000: '#000500',
        },
        danger: '#000001',
        success: '#000002',
        text: '#000003',
        text_on_brand: '#000004',
        video_bg: '#000005',
        warning: '#000006',
      },
    },
  },
};

/** A preset of that name; the caller may change it. */
export function preset(name) {
  return { ...structuredClone(PRESET), name };
}

export function withoutSecrets(storageConfig) {
  return Object.fromEntries(Object.entries(storageConfig).filter(([key]) => !(key in SECRETS)));
}

/** A recording config as the server may answer it. */
export function readable(recordingConfig) {
  return { ...recordingConfig, storage_config: withoutSecrets(recordingConfig.storage_config) };
}
