// Makes messages.json: bytes of every message in use, written by the library that the official SDK
// encodes with, from the field tables inside the SDK's bundle. Neither proto/ nor prost has a part in it.
//
//   npm install @protobuf-ts/runtime@2.11.1 && node make.mjs tables.json > messages.json
//
// tables.json: {"messages": {NAME: {"fields": [{"no", "name", "kind": "scalar"|"enum"|"message"|"map",
// "type", "optional"?, "repeated"?, "packed"?, "oneof"?, "jsLong"?, "key"?, "value"?}]}},
// "enums": {NAME: {WORD: NUMBER}}}, as read from the SDK's own `MessageType` constructors.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "x.js"));
const { LongType, MessageType, ScalarType } = require("@protobuf-ts/runtime");
const tables = JSON.parse(fs.readFileSync(process.argv[2]));

const scalar = (type) => ScalarType[type.toUpperCase()];
const words = (name) => [name, Object.fromEntries(Object.entries(tables.enums[name]).flatMap(([k, v]) => [[k, v], [v, k]]))];
const valueOf = (value) => value.kind === "message"
  ? { kind: "message", T: () => types[value.type] }
  : { kind: "scalar", T: scalar(value.type) };

const types = {};
for (const [name, { fields }] of Object.entries(tables.messages)) {
  types[name] = new MessageType(name, fields.map((field) => {
    const info = { no: field.no, name: field.name, kind: field.kind };
    if (field.kind === "scalar") {
      info.T = scalar(field.type);
      if (field.jsLong) info.L = LongType[field.jsLong.toUpperCase()];
    } else if (field.kind === "message") info.T = () => types[field.type];
    else if (field.kind === "enum") info.T = () => words(field.type);
    else Object.assign(info, { K: scalar(field.key), V: valueOf(field.value) });
    if (field.repeated) info.repeat = field.packed || field.kind === "message" ? 1 : 2;
    if (field.optional) info.opt = true;
    if (field.oneof) info.oneof = field.oneof;
    return info;
  }));
}

const camel = (text) => text.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

// A value that differs from field to field; strings hold more than ASCII, integers need several bytes.
function value(field, salt) {
  switch (field.type) {
    case "string": return `${field.name} ${salt} é€🎥`;
    case "bytes": return new Uint8Array([0, 255, field.no, salt]);
    case "bool": return true;
    case "float": return 1.5 + field.no;
    case "int32": return field.no % 2 ? -(1000 + field.no) : 100000 + field.no;
    case "uint32": return 4294967295 - field.no;
    case "uint64": return 1_700_000_000_000 + field.no * 100 + salt;
    default: throw new Error(`no value for ${field.type}`);
  }
}

function zero(field) {
  return { string: "", bytes: new Uint8Array(), bool: false }[field.type] ?? 0;
}

// full: every field has a value, lists have two. empty: what has a presence of its own is there, and empty.
function make(name, full, pick, depth = 0) {
  const made = {};
  for (const field of tables.messages[name].fields) {
    const one = (salt) => {
      if (field.kind === "message") return make(field.type, full, pick, depth + 1);
      if (field.kind === "enum") return full ? Object.values(tables.enums[field.type]).at(-1) : 0;
      return full ? value(field, salt + depth * 10) : zero(field);
    };
    let got;
    if (field.kind === "map") got = full ? { "a key": make(field.value.type, full, pick, depth + 1) } : {};
    else if (field.repeated) got = full ? [one(1), one(2)] : [];
    else if (full || field.kind === "message" || field.optional || field.oneof) got = one(0);
    else continue;
    if (!field.oneof) made[camel(field.name)] = got;
    else if (!made[field.oneof] || pick === field.name)
      made[field.oneof] = { oneofKind: camel(field.name), [camel(field.name)]: got };
  }
  return made;
}

const rows = [];
for (const [name, type] of Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const picks = tables.messages[name].fields.filter((field) => field.oneof).map((field) => field.name);
  for (const full of [true, false]) for (const pick of picks.length ? picks : [""]) {
    const message = type.create(make(name, full, pick));
    const bytes = type.toBinary(message, { writeUnknownFields: false });
    rows.push(JSON.stringify({
      message: name,
      value: type.toJson(message, { useProtoFieldName: true, enumAsInteger: true }),
      hex: Buffer.from(bytes).toString("hex"),
    }));
  }
}
console.log(`[\n${rows.join(",\n")}\n]`);
