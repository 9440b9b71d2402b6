// Writes core/content/schema/system_meta.def from what a running Directus answers: what /collections, /fields and
// /relations say of its own collections. Only facts of the wire: members with Directus' defaults are left out
// (tools/gen_system.py adds them), and so is prose.
//
//   DIRECTUS_URL=http://127.0.0.1:8055 DIRECTUS_TOKEN=… node tools/record_system.mjs > core/content/schema/system_meta.def

const { DIRECTUS_URL: url, DIRECTUS_TOKEN: token } = process.env;

async function ask(path) {
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return (await answer.json()).data;
}

/** Sentences for people: neither a key of the client's own translations nor a template of fields. */
const isProse = (text) => /\s/.test(text) && !text.startsWith('$t:') && !text.includes('{{');
const PROSE_MEMBERS = ['placeholder', 'template', 'note'];

function facts(value) {
    if (Array.isArray(value)) return value.map(facts);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
        Object.entries(value)
            .filter(([key, member]) => !(PROSE_MEMBERS.includes(key) && typeof member === 'string' && isProse(member)))
            .map(([key, member]) => [key, facts(member)]),
    );
}

function without(meta, defaults) {
    return Object.fromEntries(
        Object.entries(facts(meta)).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key] ?? null)),
    );
}

const FIELD_DEFAULTS = { readonly: false, hidden: false, width: 'full', required: false, searchable: true };
const COLLECTION_DEFAULTS = { hidden: false, singleton: false, accountability: 'all' };
const RELATION_DEFAULTS = { one_deselect_action: 'nullify' };
const byName = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

function rows(word, list, key, named, defaults) {
    return list
        .filter((entry) => entry.meta?.system)
        .map((entry) => {
            const meta = { ...entry.meta };
            for (const name of ['system', ...named]) delete meta[name];
            return [key(entry), `${word}(${key(entry)}, ${JSON.stringify(without(meta, defaults))})`];
        })
        .sort(byName)
        .map(([, line]) => line);
}

const collections = rows('COLLECTION', await ask('/collections'), (c) => c.collection, ['collection'], COLLECTION_DEFAULTS);
const fields = rows('FIELD', await ask('/fields'), (f) => `${f.collection}, ${f.field}`, ['collection', 'field'], FIELD_DEFAULTS);
const relations = rows(
    'RELATION',
    await ask('/relations'),
    (r) => `${r.collection}, ${r.field}, ${r.related_collection}`,
    ['many_collection', 'many_field', 'one_collection'],
    RELATION_DEFAULTS,
);

console.log(`/*
 * What GET /collections, /fields and /relations say of Directus' own collections beside what the tables say. Forms
 * are made of it. Written by tools/record_system.mjs from the answers of a running Directus 11.17.4; read by
 * tools/gen_system.py, which adds the members with Directus' defaults.
 *
 * COLLECTION(collection, meta)
 * FIELD(collection, field, meta): one without a column is an alias. \`special\` holds for reads and writes, too
 * RELATION(collection, field, related collection, meta)
 */
${collections.join('\n')}

${fields.join('\n')}

${relations.join('\n')}`);
