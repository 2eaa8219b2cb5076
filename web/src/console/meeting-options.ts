// Every option of a meeting, as a form shows it: where it is in the API's body, and what it may be.

import type { Choice } from './parts/form';
import type { Json, JsonValue, Meeting } from './shapes';

export interface Option {
  /** Dotted path into the body. */
  path: string;
  label: string;
  kind: 'text' | 'url' | 'number' | 'check' | 'choice' | 'yes-no' | 'list' | 'secret';
  choices?: readonly Choice[];
  min?: number;
  max?: number;
  hint?: string;
  /** Shown for these kinds of storage only. */
  storage?: readonly string[];
}

export interface Group {
  title: string;
  hint?: string;
  options: Option[];
}

export type Values = Record<string, string | boolean>;

const choices = (...words: string[]): readonly Choice[] => [
  ['', 'Default'],
  ...words.map((word): Choice => [word, word.replaceAll('_', ' ')]),
];
const STORAGE = 'recording_config.storage_config';
const S3 = ['aws', 'digitalocean'];
const BUCKETS = ['aws', 'digitalocean', 'azure', 'gcs'];

export const GROUPS: Group[] = [
  {
    title: 'Basics',
    options: [
      { path: 'title', label: 'Title', kind: 'text' },
      {
        path: 'session_keep_alive_time_in_secs',
        label: 'Keep the session for (seconds)',
        kind: 'number',
        min: 60,
        max: 600,
        hint: 'How long a session waits for somebody to come back after the last one has left: 60 to 600.',
      },
      { path: 'persist_chat', label: 'Keep the chat from one session to the next', kind: 'check' },
      { path: 'record_on_start', label: 'Record from the beginning', kind: 'check' },
      { path: 'live_stream_on_start', label: 'Livestream from the beginning', kind: 'check' },
      { path: 'transcribe_on_end', label: 'Transcribe when a session has ended', kind: 'check' },
      {
        path: 'summarize_on_end',
        label: 'Summarize when a session has ended',
        kind: 'check',
        hint: 'Needs the transcript.',
      },
    ],
  },
  {
    title: 'Recording',
    options: [
      { path: 'recording_config.max_seconds', label: 'At most (seconds)', kind: 'number', min: 60, max: 86400 },
      {
        path: 'recording_config.file_name_prefix',
        label: 'File name begins with',
        kind: 'text',
        hint: 'Letters, digits and underscores.',
      },
      {
        path: 'recording_config.video_config.codec',
        label: 'Video codec',
        kind: 'choice',
        choices: choices('H264', 'VP8'),
      },
      { path: 'recording_config.video_config.width', label: 'Width (pixels)', kind: 'number', min: 1, max: 1920 },
      { path: 'recording_config.video_config.height', label: 'Height (pixels)', kind: 'number', min: 1, max: 1920 },
      { path: 'recording_config.video_config.export_file', label: 'Write a video file', kind: 'yes-no' },
      {
        path: 'recording_config.audio_config.codec',
        label: 'Audio codec',
        kind: 'choice',
        choices: choices('AAC', 'MP3'),
      },
      {
        path: 'recording_config.audio_config.channel',
        label: 'Audio channels',
        kind: 'choice',
        choices: choices('mono', 'stereo'),
      },
      { path: 'recording_config.audio_config.export_file', label: 'Write an audio file', kind: 'yes-no' },
      { path: 'recording_config.video_config.watermark.url', label: 'Watermark picture', kind: 'url' },
      {
        path: 'recording_config.video_config.watermark.position',
        label: 'Watermark position',
        kind: 'choice',
        choices: choices('left top', 'right top', 'left bottom', 'right bottom'),
      },
      {
        path: 'recording_config.video_config.watermark.size.width',
        label: 'Watermark width',
        kind: 'number',
        min: 1,
        max: 65535,
      },
      {
        path: 'recording_config.video_config.watermark.size.height',
        label: 'Watermark height',
        kind: 'number',
        min: 1,
        max: 65535,
      },
      {
        path: 'recording_config.live_streaming_config.rtmp_url',
        label: 'RTMP address of the livestream',
        kind: 'text',
      },
    ],
  },
  {
    title: 'Storage of recordings',
    options: [
      {
        path: 'recording_config.realtimekit_bucket_config.enabled',
        label: "Keep on the server's own store",
        kind: 'yes-no',
      },
      {
        path: `${STORAGE}.type`,
        label: 'Upload to',
        kind: 'choice',
        choices: [
          ['', 'Nowhere else'],
          ['aws', 'Amazon S3 or like it'],
          ['digitalocean', 'DigitalOcean Spaces'],
          ['gcs', 'Google Cloud Storage'],
          ['azure', 'Azure'],
          ['sftp', 'SFTP'],
        ],
      },
      { path: `${STORAGE}.bucket`, label: 'Bucket', kind: 'text', storage: BUCKETS },
      { path: `${STORAGE}.region`, label: 'Region', kind: 'text', storage: BUCKETS },
      { path: `${STORAGE}.provider`, label: 'Provider', kind: 'choice', choices: choices('cloudflare'), storage: S3 },
      { path: `${STORAGE}.endpoint`, label: 'Endpoint', kind: 'url', hint: 'Of a store that is like S3.', storage: S3 },
      { path: `${STORAGE}.access_key`, label: 'Access key', kind: 'secret', storage: ['aws', 'digitalocean', 'azure'] },
      { path: `${STORAGE}.secret`, label: 'Secret', kind: 'secret', storage: BUCKETS },
      { path: `${STORAGE}.host`, label: 'Host', kind: 'text', storage: ['sftp'] },
      { path: `${STORAGE}.port`, label: 'Port', kind: 'number', min: 1, max: 65535, storage: ['sftp'] },
      { path: `${STORAGE}.username`, label: 'User', kind: 'text', storage: ['sftp'] },
      {
        path: `${STORAGE}.auth_method`,
        label: 'Signs in by',
        kind: 'choice',
        choices: choices('KEY', 'PASSWORD'),
        storage: ['sftp'],
      },
      { path: `${STORAGE}.password`, label: 'Password', kind: 'secret', storage: ['sftp'] },
      { path: `${STORAGE}.private_key`, label: 'Private key', kind: 'secret', storage: ['sftp'] },
      { path: `${STORAGE}.path`, label: 'Folder', kind: 'text', storage: [...BUCKETS, 'sftp'] },
    ],
  },
  {
    title: 'Transcript and summary',
    options: [
      {
        path: 'ai_config.transcription.language',
        label: 'Language',
        kind: 'choice',
        choices: choices(
          'en-US',
          'en-IN',
          'en',
          'de',
          'el',
          'es',
          'fr',
          'hi',
          'it',
          'nl',
          'pl',
          'pt',
          'pt-BR',
          'ru',
          'sv',
          'multi',
        ),
      },
      {
        path: 'ai_config.transcription.keywords',
        label: 'Keywords',
        kind: 'list',
        hint: 'Names and terms to listen for, one a line.',
      },
      { path: 'ai_config.transcription.profanity_filter', label: 'Leave out swear words', kind: 'yes-no' },
      { path: 'ai_config.summarization.word_limit', label: 'Words of a summary', kind: 'number', min: 150, max: 1000 },
      {
        path: 'ai_config.summarization.text_format',
        label: 'Format',
        kind: 'choice',
        choices: choices('markdown', 'plain_text'),
      },
      {
        path: 'ai_config.summarization.summary_type',
        label: 'Kind of meeting',
        kind: 'choice',
        choices: choices(
          'general',
          'team_meeting',
          'sales_call',
          'client_check_in',
          'interview',
          'daily_standup',
          'one_on_one_meeting',
          'lecture',
          'code_review',
        ),
      },
    ],
  },
];

const OPTIONS = GROUPS.flatMap((group) => group.options);

export function valueAt(body: unknown, path: string): JsonValue | undefined {
  return path.split('.').reduce<unknown>((inner, name) => (inner as Json | null | undefined)?.[name], body) as
    JsonValue | undefined;
}

export function put(body: Json, path: string, value: JsonValue): void {
  const names = path.split('.');
  const last = names.pop()!;
  let inner = body;
  for (const name of names) inner = (inner[name] ??= {}) as Json;
  inner[last] = value;
}

/** What a form begins with. Secrets are never told: their fields are empty. */
export function formValues(meeting?: Meeting): Values {
  return Object.fromEntries(
    OPTIONS.map(({ path, kind }) => {
      const value = valueAt(meeting, path);
      if (kind === 'check') return [path, value === true];
      if (kind === 'list') return [path, Array.isArray(value) ? value.join('\n') : ''];
      return [path, value === undefined || value === null ? '' : String(value)];
    }),
  );
}

export const isShown = ({ storage }: Option, values: Values): boolean =>
  !storage || storage.includes(String(values[`${STORAGE}.type`]));

function typed({ kind }: Option, value: string | boolean): JsonValue {
  if (typeof value === 'boolean') return value;
  if (value === '') return null;
  if (kind === 'number') return Number.isNaN(Number(value)) ? value : Number(value);
  if (kind === 'yes-no') return value === 'true';
  if (kind === 'list')
    return value
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  return value;
}

/** The body that brings what was there to what the form says: what is unchanged is left out. */
export function bodyOf(values: Values, before: Values): Json {
  const body: Json = {};
  const kind = `${STORAGE}.type`;
  for (const option of OPTIONS) {
    const { path } = option;
    if (!isShown(option, values)) continue;
    // A new kind of storage is told as a whole.
    const whole = path.startsWith(STORAGE) && values[kind] !== before[kind] && values[path] !== '';
    if (values[path] !== before[path] || whole) put(body, path, typed(option, values[path]!));
  }
  if (values[kind] === '' && before[kind] !== '') put(body, STORAGE, null);
  const bucket = 'recording_config.realtimekit_bucket_config';
  if (valueAt(body, `${bucket}.enabled`) === null) put(body, bucket, null);
  return body;
}
