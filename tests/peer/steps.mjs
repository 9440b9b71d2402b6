// A sequence is a list of steps; a step is one request. In its shortest form it is text:
//
//   'GET /items/labels?limit=2'                               as the administrator
//   'editor GET /items/articles'                              as one of the actors of pair.mjs, or `public`
//   ['POST /items/labels', { name: 'x' }]                     with a body
//   ['POST /items/labels', { name: 'x' }, { keep: 'label' }]  what it answers is used later: '/items/labels/{label.id}'
//
// Options of a step: keep; unordered (Directus leaves the order of the lists open); headers, of the request; see: names of headers of
// the answer that are compared; text: a body as it is; query: an object as the SDK sends it; sql: statements for both databases instead of a request.

import { sql } from '../support/stack.mjs';
import { Canonical } from './canonical.mjs';
import { actors, tokenOf } from './pair.mjs';

const who = new Set(['public', ...actors]);

/** → { actor, method, path, body, …options } */
export function readStep(step) {
    const [line, body, options = {}] = Array.isArray(step) ? step : [step];
    if (line === 'sql') return { line: 'sql', sql: body, ...options };
    const words = line.split(' ');
    const actor = who.has(words[0]) || !/^[A-Z]+$/.test(words[0]) ? words.shift() : 'admin'; // or a token as it is
    const method = words.shift();
    return { line, actor, method, path: words.join(' '), body, ...options };
}

export const readsOnly = (steps) => steps.every((step) => !step.sql && !step.writes && (step.method === 'GET' || step.method === 'SEARCH' || step.method === 'HEAD'));

/** {name.path} of what earlier steps kept; what is missing stays readable. */
function fill(value, kept) {
    if (typeof value === 'string') {
        const whole = /^\{(\w+)((?:\.\w+)*)\}$/.exec(value);
        const look = (name, path) => path.split('.').filter(Boolean).reduce((at, key) => at?.[key], kept[name]);
        if (whole && whole[1] in kept) return look(whole[1], whole[2]) ?? `missing-${whole[1]}`;
        return value.replace(/\{(\w+)((?:\.\w+)*)\}/g, (text, name, path) => (name in kept ? String(look(name, path) ?? `missing-${name}`) : text));
    }
    if (Array.isArray(value)) return value.map((item) => fill(item, kept));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, kept), fill(item, kept)]));
}

const asSdk = (query) =>
    Object.entries(query).map(([key, value]) => {
        const text = ['fields', 'sort', 'groupBy'].includes(key) && Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
        return `${key}=${encodeURIComponent(text)}`;
    });

function urlOf(step, kept) {
    const path = encodeURI(fill(step.path, kept)).replaceAll('#', '%23');
    if (!step.query) return path;
    return `${path}${path.includes('?') ? '&' : '?'}${asSdk(fill(step.query, kept)).join('&')}`;
}

function bodyOf(text, type) {
    if (!/json/.test(type ?? '')) return text;
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

async function ask(server, step, kept) {
    const token = tokenOf(fill(step.actor, kept));
    const text = step.text ?? (step.body === undefined ? undefined : JSON.stringify(fill(step.body, kept)));
    const response = await fetch(server.url + urlOf(step, kept), {
        method: step.method,
        redirect: 'manual',
        signal: AbortSignal.timeout(30_000),
        headers: {
            ...(token && step.token !== false ? { authorization: `Bearer ${token}` } : {}),
            ...(text === undefined ? {} : { 'content-type': 'application/json' }),
            ...fill(step.headers ?? {}, kept),
        },
        body: text,
    });
    const said = await response.text();
    const type = response.headers.get('content-type');
    const headers = Object.fromEntries((step.see ?? []).map((name) => [name, response.headers.get(name)]));
    return { status: response.status, type, ...(step.see ? { headers } : {}), body: bodyOf(said, type) };
}

/** Texts that both servers are told, which therefore are not theirs to make. */
export function knownOf(sequence, model) {
    const known = new Set(model);
    for (const [text] of JSON.stringify(sequence).matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|20\d\d-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?|\b[1-9]\d{7}\b/g)) known.add(text);
    return known;
}

/** The answers of one server, in their canonical form; and as they came. */
export async function runSequence(server, steps, known) {
    const canonical = new Canonical(known, [server.url, new URL(server.url).host]);
    const kept = {};
    const answers = [];
    for (const step of steps) {
        if (step.sql) {
            await sql(server.databaseUrl, `set spark.scope = 'platform'; ${fill(step.sql, kept)}`);
            answers.push({ status: 0, type: null, body: null });
            continue;
        }
        const answer = await ask(server, step, kept).catch((error) => ({ status: 0, type: null, body: `${error.name}: ${error.cause?.code ?? error.message}` }));
        if (step.keep) kept[step.keep] = answer.body?.data ?? {};
        answers.push({ ...answer, body: canonical.value(answer.body, step.unordered), ...(answer.headers ? { headers: canonical.value(answer.headers) } : {}) });
    }
    return answers;
}
