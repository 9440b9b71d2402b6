// Fields with the special `encrypt`: what is shown of them, and what a query, a rule, a draft or a revision makes of them.

const field = (name, type, special, schema = {}, meta = {}) => ({ field: name, type, meta: { special, ...meta }, schema });
const made = [
    ['POST /collections', { collection: 'vaults', schema: {}, meta: { versioning: true, accountability: 'all' }, fields: [
        { field: 'id', type: 'integer', meta: {}, schema: { is_primary_key: true, has_auto_increment: true } },
        field('name', 'string', null), field('code', 'string', ['encrypt']), field('note', 'text', ['encrypt']),
        field('both', 'text', ['encrypt', 'conceal']), field('turned', 'text', ['conceal', 'encrypt']), field('short', 'string', ['encrypt'], { max_length: 10 }),
        field('count', 'integer', ['encrypt']), field('data', 'json', ['cast-json', 'encrypt']), field('parent', 'integer', ['m2o']),
        { field: 'children', type: 'alias', meta: { special: ['o2m'] }, schema: null }] }],
    ['POST /relations', { collection: 'vaults', field: 'parent', related_collection: 'vaults', meta: { one_field: 'children' }, schema: {} }],
];
const rows = [['POST /items/vaults', [{ name: 'a', code: 'alpha', note: 'a longer text' }, { name: 'b', code: 'beta', note: '' }, { name: 'c' }]]];
const V = 'items/vaults';
const ofRow = (...steps) => [...made, ...rows, ...steps];
const asked = (query) => ofRow(`GET /${V}?fields=id,name,code&sort=id&${query}`);
const writes = [{ code: 'new' }, { code: '**********' }, { code: null }, { code: '' }, { code: 5 }, { code: true }, { code: { a: 1 } }, { code: ['a'] }, { note: 'x'.repeat(4000) }, { code: 'x'.repeat(300) }, { both: 'two' }, { turned: 'two' }, { short: 'four' }, { count: 5 }, { count: '5' }, { data: { a: 1 } }, { data: 'text' }, { data: '{"a":1}' }];
const filters = [{ _eq: 'alpha' }, { _neq: 'alpha' }, { _null: true }, { _nnull: true }, { _empty: true }, { _nempty: true }, { _in: ['alpha'] }, { _nin: ['alpha'] }, { _contains: 'alph' }, { _ncontains: 'alph' }, { _icontains: 'ALPH' }, { _starts_with: 'al' }, { _nstarts_with: 'al' }, { _ends_with: 'ha' }, { _eq: '**********' }, { _neq: '**********' }, { _eq: '' }, { _gt: 'a' }, { _between: ['alpha', 'beta'] }, { _regex: 'a' }];
const tell = ['GET /revisions?sort=id&fields=collection,item,data,delta&filter={"collection":"vaults"}', 'GET /activity?sort=id&fields=action,collection,item&filter={"collection":"vaults"}'];
const rule = (action, fields, more = {}) => ['POST /permissions', { policy: '00000000-0000-4000-8000-200000000001', collection: 'vaults', action, fields, ...more }];
const part = (text, type) => ({ text: `--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\ncontent-type: ${type}\r\n\r\n${text}\r\n--b--\r\n`, headers: { 'content-type': 'multipart/form-data; boundary=b' } });

export default {
    'encrypt: rows are made and shown': ofRow(`GET /${V}`, `GET /${V}/1`, `GET /${V}?fields=code&limit=1`, `GET /${V}?alias[c]=code&fields=c&limit=1`, ...tell),
    ...Object.fromEntries(writes.flatMap((body) => {
        const name = JSON.stringify(body).slice(0, 60);
        return [[`encrypt: make ${name}`, [...made, [`POST /${V}`, { name: 'm', ...body }], `GET /${V}`, ...tell]], [`encrypt: change ${name}`, ofRow([`PATCH /${V}/1`, body], `GET /${V}/1`, ...tell)]];
    })),
    ...Object.fromEntries(filters.flatMap((filter) => ['code', 'note', 'both'].map((name) => [`encrypt: filter ${name} ${JSON.stringify(filter)}`, asked(`filter=${JSON.stringify({ [name]: filter })}`)]))),
    'encrypt: search': asked('search=alpha'),
    'encrypt: sort': ofRow(`GET /${V}?fields=name&sort=code&filter={"code":{"_null":true}}`, [`GET /${V}?fields=name&sort=code`, undefined, { unordered: true }], [`GET /${V}?fields=name&sort=-note`, undefined, { unordered: true }]),
    'encrypt: group': ofRow(`GET /${V}?groupBy=name&aggregate[count]=code&sort=name`, [`GET /${V}?groupBy=code&aggregate[count]=*`, undefined, { unordered: true }]),
    ...Object.fromEntries(['count', 'countDistinct', 'min', 'max', 'sum', 'avg'].map((name) => [`encrypt: ${name}`, ofRow(`GET /${V}?aggregate[${name}]=code`, `GET /${V}?aggregate[${name}]=note`)])),
    'encrypt: functions': ofRow(`GET /${V}?fields=year(code)`, `GET /${V}?fields=json(data,a)`),
    ...Object.fromEntries(['json', 'csv', 'xml', 'yaml'].map((format) => [`encrypt: export ${format}`, asked(`export=${format}`)])),
    'encrypt: many at once': ofRow([`PATCH /${V}`, { keys: [1, 2], data: { code: 'same' } }], [`PATCH /${V}`, [{ id: 1, code: 'one' }, { id: 3, code: 'three' }]], `GET /${V}`, ...tell),
    'encrypt: nested': ofRow([`PATCH /${V}/1?fields=*,children.*`, { children: [{ name: 'd', code: 'delta' }, { id: 2, code: 'changed' }] }], [`POST /${V}?fields=*,parent.*`, { name: 'e', parent: { name: 'f', code: 'deep' } }], 'GET /revisions?sort=id&fields=item,data.code,delta.code&filter={"collection":"vaults"}'),
    'encrypt: import json': [...made, [`POST /utils/import/vaults`, undefined, part('[{"name":"i","code":"imported"}]', 'application/json')], `GET /${V}`, ...tell],
    'encrypt: import csv': [...made, [`POST /utils/import/vaults`, undefined, part('name,code\ni,imported', 'text/csv')], `GET /${V}`, ...tell],
    'encrypt: a draft': ofRow(['POST /versions', { key: 'one', collection: 'vaults', item: '1' }, { keep: 'version' }], ['POST /versions/{version.id}/save', { name: 'drafted', code: 'drafted' }], `GET /${V}/1?version=one`, `GET /${V}/1?version=one&versionRaw=true`, 'GET /versions/{version.id}?fields=delta', 'GET /versions/{version.id}/compare', `GET /${V}/1`, ...tell),
    'encrypt: a draft is promoted': ofRow(['POST /versions', { key: 'one', collection: 'vaults', item: '1' }, { keep: 'version' }], ['POST /versions/{version.id}/save', { name: 'drafted' }], ['GET /versions/{version.id}/compare', undefined, { keep: 'compared' }], ['POST /versions/{version.id}/promote', { mainHash: '{compared.mainHash}' }], `GET /${V}/1`, ...tell),
    'encrypt: a revert': ofRow([`PATCH /${V}/1`, { name: 'x', code: 'second' }], [`PATCH /${V}/1`, { name: 'y', code: 'third' }], ['GET /revisions?sort=id&fields=id,data&filter={"collection":"vaults","item":"1"}', undefined, { keep: 'revisions' }], ['POST /utils/revert/{revisions.1.id}'], `GET /${V}/1`),
    'encrypt: a rule of rows': ofRow(rule('read', ['*'], { permissions: { code: { _nnull: true } } }), `editor GET /${V}?fields=name,code&sort=id`, `editor GET /${V}?filter={"code":"alpha"}`),
    'encrypt: a rule of values': ofRow(rule('create', ['*'], { validation: { code: { _eq: 'alpha' } } }), rule('read', ['name', 'code']), [`editor POST /${V}`, { name: 'x', code: 'beta' }], [`editor POST /${V}`, { name: 'x', code: 'alpha' }]),
    'encrypt: a preset': ofRow(rule('create', ['name'], { presets: { code: 'preset' } }), rule('read', ['*']), [`editor POST /${V}`, { name: 'x' }], ...tell),
    'encrypt: a field not granted': ofRow(rule('read', ['name']), `editor GET /${V}?fields=code`, `editor GET /${V}?filter={"code":{"_null":true}}`),
    'encrypt: validation of the field': ofRow(['PATCH /fields/vaults/code', { meta: { validation: { code: { _contains: 'ok' } } } }], [`PATCH /${V}/1`, { code: 'no' }], [`PATCH /${V}/1`, { code: 'ok' }]),
    'encrypt: the settings': [['PATCH /settings?fields=ai_openai_api_key,ai_anthropic_api_key', { ai_openai_api_key: 'sk-one' }], 'GET /settings?fields=ai_openai_api_key,ai_google_api_key', ['PATCH /settings?fields=ai_openai_api_key', { ai_openai_api_key: null }], 'GET /revisions?sort=id&fields=collection,data.ai_openai_api_key,delta&filter={"collection":"directus_settings"}'],
    'encrypt: the special comes later': [...ofRow(['PATCH /fields/vaults/name', { meta: { special: ['encrypt'] } }]), `GET /${V}?fields=id,name&sort=id`, [`PATCH /${V}/1?fields=name`, { name: 'sealed' }], ['PATCH /fields/vaults/code', { meta: { special: null } }], `GET /${V}/3?fields=code`],
};
