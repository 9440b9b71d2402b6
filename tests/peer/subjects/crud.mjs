// What the routes of the system collections have in common, asked of each of them.

const U = (n) => `00000000-0000-4000-8000-30000000000${n}`;
const R = (n) => `00000000-0000-4000-8000-10000000000${n}`;
const P = (n) => `00000000-0000-4000-8000-20000000000${n}`;

// route: [body of one row, of another, change, field that both have, key that is not there, wrong bodies]
const none = '00000000-0000-4000-8000-999999999999';
const routes = {
    folders: [{ name: 'A' }, { name: 'B' }, { name: 'C' }, 'name', none, [{}, { name: null }, { name: 'x', parent: none }]],
    dashboards: [{ name: 'A' }, { name: 'B', icon: 'x', color: '#fff', note: 'n' }, { name: 'C' }, 'name', none, [{}, { name: null }]],
    panels: [{ dashboard: '{dashboard.id}', type: 'label', position_x: 1, position_y: 1, width: 2, height: 2, options: { text: 'x' } }, { dashboard: '{dashboard.id}', type: 'list', position_x: 3, position_y: 1, width: 2, height: 2, name: 'B' }, { name: 'C', options: { a: [1] } }, 'type', none, [{}, { dashboard: none, type: 'x', position_x: 1, position_y: 1, width: 1, height: 1 }]],
    notifications: [{ recipient: U(1), subject: 'Hello', message: 'm' }, { recipient: U(2), subject: 'There' }, { status: 'archived' }, 'subject', 99, [{}, { recipient: none, subject: 's' }]],
    presets: [{ bookmark: 'b', user: U(1), collection: 'articles', layout: 'tabular', layout_query: { tabular: { page: 1 } } }, { role: R(1), collection: 'authors', search: 'x', filter: { _and: [] } }, { bookmark: 'c', refresh_interval: 5 }, 'collection', 99, [{ user: none }, { collection: 'x'.repeat(70) }]],
    translations: [{ key: 'k1', language: 'en-US', value: 'v' }, { key: 'k1', language: 'de-DE', value: 'w' }, { value: 'c' }, 'language', none, [{}, { key: 'k' }, { key: 'k', language: 'en-US', value: null }]],
    comments: [{ collection: 'articles', item: '1', comment: 'c' }, { collection: 'articles', item: 2, comment: 'd' }, { comment: 'e' }, 'comment', none, [{}, { comment: 'x' }, { collection: 'articles', comment: 'x' }, { collection: 'nope', item: 1, comment: 'x' }, { collection: 'articles', item: 999, comment: 'x' }, { collection: 'articles', item: 1, comment: '' }]],
    roles: [{ name: 'A' }, { name: 'B', icon: 'x', description: 'd', parent: R(1) }, { name: 'C' }, 'name', none, [{}, { name: null }, { name: 'x', parent: none }]],
    policies: [{ name: 'A' }, { name: 'B', icon: 'x', app_access: true, ip_access: ['10.0.0.1'], enforce_tfa: true }, { name: 'C', description: 'd' }, 'name', none, [{}, { name: null }, { name: 'x', ip_access: ['nope'] }, { name: 'x', app_access: 'x' }]],
    permissions: [{ policy: P(1), collection: 'labels', action: 'create', fields: ['*'] }, { policy: P(1), collection: 'languages', action: 'read', fields: ['code'], permissions: { code: { _eq: 'en-US' } }, validation: {}, presets: { a: 1 } }, { fields: ['id'] }, 'collection', 99, [{}, { policy: P(1) }, { policy: none, collection: 'a', action: 'read' }, { policy: P(1), collection: 'articles', action: 'nope' }]],
    access: [{ role: R(2), policy: P(3) }, { user: U(5), policy: P(4), sort: 3 }, { sort: 7 }, 'policy', none, [{}, { role: R(1) }, { policy: none, role: R(1) }]],
    users: [{ email: 'A@example.com', first_name: 'A' }, { email: 'b@example.com', password: 'secret-1', role: R(1), status: 'draft', token: 'token-of-b-0123456789' }, { first_name: 'C', tags: ['x'] }, 'email', none, [{ email: 'x' }, { email: 'EDITOR@example.com' }, { email: 'c@example.com', role: none }, { email: 'c@example.com', status: 'nope' }, { email: 'c@example.com', tfa_secret: 'x' }]],
    shares: [{ name: 'A', collection: 'articles', item: '1' }, { name: 'B', collection: 'articles', item: 2, password: 'secret', max_uses: 2, role: R(1) }, { name: 'C' }, 'name', none, [{}, { name: 'x', collection: 'nope', item: 1 }, { collection: 'articles' }]],
    versions: [{ key: 'one', name: 'One', collection: 'papers', item: '1' }, { key: 'two', collection: 'papers', item: 2 }, { name: 'C' }, 'key', none, [{}, { key: 'x' }, { key: 'main', collection: 'papers', item: 1 }, { key: 'x', collection: 'labels', item: none }, { key: 'x', collection: 'papers', item: 999 }, { key: 'x', collection: 'nope', item: 1 }]],
    flows: [{ name: 'A', trigger: 'manual' }, { name: 'B', trigger: 'webhook', status: 'inactive', options: { method: 'GET' } }, { name: 'C' }, 'name', none, [{}]],
    operations: [{ flow: '{flow.id}', key: 'a', type: 'log', position_x: 1, position_y: 1 }, { flow: '{flow.id}', key: 'b', type: 'sleep', position_x: 2, position_y: 1, name: 'B' }, { name: 'C' }, 'key', none, [{}]],
};
const before = { panels: [['POST /dashboards', { name: 'D' }, { keep: 'dashboard' }]], operations: [['POST /flows', { name: 'F' }, { keep: 'flow' }]] };
const sort = (route) => (['notifications', 'presets', 'permissions'].includes(route) ? 'sort=id' : ['roles', 'policies', 'folders', 'dashboards'].includes(route) ? 'sort=name' : 'sort=id');

function sequences(route, [one, other, change, field, missing, wrong]) {
    const first = [...(before[route] ?? []), [`POST /${route}`, one, { keep: 'row' }]];
    const both = [...first, [`POST /${route}`, other, { keep: 'second' }]];
    const rows = (query = '') => [`GET /${route}?${sort(route)}${query}`, undefined, { unordered: true }];
    return {
        'list': [rows()],
        'list, fields': [rows('&fields=id')],
        'list, limit and meta': [rows('&limit=1&meta=*&fields=id')],
        'list, aggregate': [`GET /${route}?aggregate[count]=*`],
        'list, unknown field': [`GET /${route}?fields=nope`],
        'list, all below': [`GET /${route}?fields=*.*&limit=3&${sort(route)}`],
        'list, to the public': [`public GET /${route}`],
        'list, to the editor': [`editor GET /${route}?${sort(route)}`],
        'list, to a user of the app': [`app GET /${route}?${sort(route)}`],
        'list, to nobody special': [`none GET /${route}`],
        'make': [...first, `GET /${route}/{row.id}`],
        'make the other': [...(before[route] ?? []), [`POST /${route}`, other, { keep: 'row' }], `GET /${route}/{row.id}`],
        'make, fields': [...(before[route] ?? []), [`POST /${route}?fields=${field}`, one]],
        'make two': [...(before[route] ?? []), [`POST /${route}?fields=${field}`, [one, other], { unordered: true }], rows()],
        'make none': [[`POST /${route}`, []]],
        'make, broken': [[`POST /${route}`, undefined, { text: '{' }]],
        'make, no object': [[`POST /${route}`, 'x']],
        'make, to the public': [[`public POST /${route}`, one]],
        'make, to the editor': [[`editor POST /${route}`, one]],
        'make, to a user of the app': [[`app POST /${route}`, one]],
        'make, a field too much': [...(before[route] ?? []), [`POST /${route}?fields=${field}`, { ...one, nope: 1 }]],
        ...Object.fromEntries(wrong.map((body) => [`make, wrong ${JSON.stringify(body).slice(0, 80)}`, [[`POST /${route}`, body], `GET /${route}?aggregate[count]=*`]])),
        'show one that is not there': [`GET /${route}/${missing}`],
        'show one by a bad key': [`GET /${route}/x`],
        'show, fields': [...first, `GET /${route}/{row.id}?fields=id,${field}`],
        'SEARCH': [...both, [`SEARCH /${route}`, { query: { fields: [field], filter: { id: { _in: ['{row.id}', '{second.id}'] } } } }, { unordered: true }]],
        'SEARCH keys': [...first, [`SEARCH /${route}`, { keys: ['{row.id}'], query: { fields: [field] } }]],
        'change': [...first, [`PATCH /${route}/{row.id}`, change], `GET /${route}/{row.id}`],
        'change, fields': [...first, [`PATCH /${route}/{row.id}?fields=${Object.keys(change)[0]}`, change]],
        'change nothing': [...first, [`PATCH /${route}/{row.id}?fields=${field}`, {}]],
        'change one that is not there': [[`PATCH /${route}/${missing}`, change]],
        'change by a bad key': [[`PATCH /${route}/x`, change]],
        'change keys': [...both, [`PATCH /${route}?fields=${field}`, { keys: ['{row.id}', '{second.id}'], data: change }, { unordered: true }], rows()],
        'change each': [...both, [`PATCH /${route}?fields=${field}`, [{ id: '{row.id}', ...change }, { id: '{second.id}' }], { unordered: true }], rows()],
        'change by a query': [...first, [`PATCH /${route}?fields=${Object.keys(change)[0]}`, { query: { filter: { id: { _eq: '{row.id}' } } }, data: change }]],
        'change without keys': [[`PATCH /${route}`, { data: change }]],
        'change, a key is missing': [...first, [`PATCH /${route}`, [change]]],
        'change, to the public': [...first, [`public PATCH /${route}/{row.id}`, change]],
        'change, to the editor': [...first, [`editor PATCH /${route}/{row.id}`, change]],
        'change, to a user of the app': [...first, [`app PATCH /${route}/{row.id}`, change]],
        'delete': [...first, `DELETE /${route}/{row.id}`, `GET /${route}/{row.id}`, rows()],
        'delete one that is not there': [`DELETE /${route}/${missing}`],
        'delete by a bad key': [`DELETE /${route}/x`],
        'delete a list': [...both, [`DELETE /${route}`, ['{row.id}', '{second.id}']], rows()],
        'delete keys': [...both, [`DELETE /${route}`, { keys: ['{row.id}'] }], rows('&fields=' + field)],
        'delete by a query': [...both, [`DELETE /${route}`, { query: { filter: { id: { _eq: '{second.id}' } } } }], rows('&fields=' + field)],
        'delete without anything': [`DELETE /${route}`],
        'delete, to the public': [...first, `public DELETE /${route}/{row.id}`],
        'delete, to the editor': [...first, `editor DELETE /${route}/{row.id}`],
        'delete, to a user of the app': [...first, `app DELETE /${route}/{row.id}`],
        'leaves activity': [...first, [`PATCH /${route}/{row.id}`, change], `DELETE /${route}/{row.id}`, `GET /activity?fields=action,collection,item,user,revisions.data,revisions.delta&filter={"collection":"directus_${route}"}&sort=id`],
        'no such route': [`PUT /${route}`],
        'no route below': [`GET /${route}/a/b`],
    };
}

export default Object.fromEntries(Object.entries(routes).flatMap(([route, parts]) => Object.entries(sequences(route, parts)).map(([name, steps]) => [`${route}: ${name}`, steps])));
