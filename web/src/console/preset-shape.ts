// A preset as a form shows it: made from the preset itself, so that it has every permission the server knows.

import { put, valueAt } from './meeting-options';
import type { Choice } from './parts/form';
import type { Json, JsonValue, Preset, PresetBody } from './shapes';

const named = (...values: [string, string][]): readonly Choice[] => values;
const MEDIA = named(['ALLOWED', 'Allowed'], ['CAN_REQUEST', 'May ask'], ['NOT_ALLOWED', 'Not allowed']);

/** What texts may be, by the name of their member. */
const CHOICES: Record<string, readonly Choice[]> = {
  can_produce: MEDIA,
  can_consume: MEDIA,
  stage_access: MEDIA,
  waiting_room_type: named(
    ['SKIP', 'Goes in at once'],
    ['ON_PRIVILEGED_USER_ENTRY', 'Waits for a host'],
    ['SKIP_ON_ACCEPT', 'Waits to be let in'],
  ),
  recorder_type: named(['NONE', 'None'], ['RECORDER', 'Recorder'], ['LIVESTREAMER', 'Livestreamer']),
  view_type: named(
    ['GROUP_CALL', 'Group call'],
    ['WEBINAR', 'Webinar'],
    ['AUDIO_ROOM', 'Audio room'],
    ['LIVESTREAM', 'Livestream'],
  ),
  quality: named(
    ['qvga', 'QVGA (240p)'],
    ['vga', 'VGA (480p)'],
    ['hd', 'HD (720p)'],
    ['fhd', 'Full HD (1080p)'],
    ['uhd', 'Ultra HD (2160p)'],
  ),
  border_radius: named(
    ['sharp', 'Sharp'],
    ['rounded', 'Rounded'],
    ['extra-rounded', 'Extra rounded'],
    ['circular', 'Circular'],
  ),
  border_width: named(['none', 'None'], ['thin', 'Thin'], ['fat', 'Fat']),
  theme: named(['darkest', 'Darkest'], ['dark', 'Dark'], ['light', 'Light']),
};

/** Texts that a preset need not have; without them they would not be offered. */
const OPTIONAL = [
  'permissions.stage_access',
  'ui.design_tokens.logo',
  'ui.design_tokens.font_family',
  'ui.design_tokens.google_font',
];

/** Free-form parts, which the JSON view is for. */
const FREE = new Set([
  'permissions.plugins.config',
  'permissions.track_recording',
  'permissions.chat.channel',
  'permissions.chat.message',
  'ui.config_diff',
]);

export const choicesOf = (path: string): readonly Choice[] | undefined => {
  const choices = CHOICES[path.slice(path.lastIndexOf('.') + 1)];
  return choices && OPTIONAL.includes(path) ? [['', 'Not set'], ...choices] : choices;
};

/** What of a preset is written by its owner. */
export function bodyOf({ name, config, permissions, ui, version, track_recording }: Preset | PresetBody): PresetBody {
  return {
    name,
    config,
    permissions,
    ui,
    ...(version !== undefined && { version }),
    ...(track_recording !== undefined && { track_recording }),
  };
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A body out of text; what it leaves out is as in `before`. Throws where it is none. */
export function parsed(text: string, before: PresetBody): PresetBody {
  const told: unknown = JSON.parse(text);
  if (!isObject(told)) throw new Error('A preset is an object.');
  const body = bodyOf({ ...before, ...told });
  for (const part of ['config', 'permissions', 'ui'] as const) {
    if (!isObject(body[part])) throw new Error(`"${part}" must be an object.`);
  }
  return body;
}

/** With empty texts for what is not set. */
export function completed(body: PresetBody): PresetBody {
  const full = structuredClone(body);
  for (const path of OPTIONAL) {
    if (valueAt(full, path) == null) put(full as unknown as Json, path, '');
  }
  return full;
}

/** Without the empty texts again. */
export function trimmed(body: PresetBody): PresetBody {
  const sent = structuredClone(body);
  for (const path of OPTIONAL) {
    const names = path.split('.');
    const last = names.pop()!;
    const parent = valueAt(sent, names.join('.')) as Json | undefined;
    if (parent?.[last] === '') delete parent[last];
  }
  return sent;
}

export function changed(body: PresetBody, path: string, value: JsonValue): PresetBody {
  const next = structuredClone(body);
  put(next as unknown as Json, path, value);
  return next;
}

export interface Leaf {
  path: string;
  name: string;
  value: string | number | boolean;
}
export interface Branch {
  path: string;
  name: string;
  leaves: Leaf[];
  branches: Branch[];
}

/** The members of an object: single values first, then the objects in it. Lists and free-form parts are left out. */
export function branchOf(path: string, object: Json): Branch {
  const branch: Branch = { path, name: path.slice(path.lastIndexOf('.') + 1), leaves: [], branches: [] };
  for (const [name, value] of Object.entries(object)) {
    const inner = `${path}.${name}`;
    if (value === null || Array.isArray(value) || FREE.has(inner)) continue;
    if (typeof value === 'object') branch.branches.push(branchOf(inner, value));
    else branch.leaves.push({ path: inner, name, value });
  }
  return branch;
}
