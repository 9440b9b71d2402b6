// What Directus 11 answers, as a table: status, code, sentence and data. The shape is that of its
// golden record (posts with an author, an editor with a row filter), the rows are our own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { codeOf, startApi } from '../../support/api.mjs';

const id = (kind, n) => `00000000-0000-4000-8000-${kind}${String(n).padStart(8, '0')}`;
const writers = Array.from({ length: 3 }, (_, n) => ({ id: id('aaaa', n), name: `Writer ${n}`, bio: n === 2 ? null : `Bio ${n}` }));
const notes = Array.from({ length: 30 }, (_, n) => ({
    id: id('bbbb', n),
    title: `Note number ${n} about ${['maps', 'trains', 'glass'][n % 3]}`,
    slug: `note-${n}`,
    status: n % 5 === 0 ? 'draft' : n % 10 === 1 ? 'archived' : 'published',
    body: n === 7 ? null : n === 8 ? '' : `text ${n}`,
    published_at: `202${n % 5}-03-0${1 + (n % 9)}T10:20:${String(30 + (n % 10))}.000Z`,
    writer: n === 13 ? null : writers[n % 3].id,
    word_count: n * 10,
}));
const bySlug = (list) => [...list].sort((a, b) => (a.slug < b.slug ? -1 : 1));
const without = (row, ...fields) => Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
const pick = (fields) => (row) => Object.fromEntries(fields.map((f) => [f, row[f]]));

const editorToken = 'token-of-the-editor-0123456789';
const text = (value) => (value === null ? 'null' : typeof value === 'number' ? value : `'${value}'`);

const tables = `
create table writers (id uuid primary key default gen_random_uuid(), name varchar(255) not null, bio text);
create table notes (
    id uuid primary key default gen_random_uuid(), title varchar(255) not null, slug varchar(255) unique,
    status varchar(50) default 'draft', body text, published_at timestamptz,
    writer uuid references writers (id) on delete set null, word_count integer);
insert into writers values ${writers.map((w) => `('${w.id}', '${w.name}', ${text(w.bio)})`).join(', ')};
insert into notes values ${notes.map((n) => `(${Object.values(n).map(text).join(', ')})`).join(', ')};
insert into directus_collections (collection) values ('writers'), ('notes');
insert into directus_relations (many_collection, many_field, one_collection, one_field) values ('notes', 'writer', 'writers', 'notes');
insert into directus_fields (collection, field, special, interface) values ('writers', 'notes', 'o2m', 'list-o2m'), ('notes', 'writer', 'm2o', null);
insert into directus_roles (id, name) values ('${id('cccc', 0)}', 'Editor');
insert into directus_policies (id, name) values ('${id('cccc', 1)}', 'Editor');
insert into directus_access (id, role, policy) values ('${id('cccc', 2)}', '${id('cccc', 0)}', '${id('cccc', 1)}');
insert into directus_users (id, email, status, role, token) values ('${id('cccc', 3)}', 'editor@example.com', 'active', '${id('cccc', 0)}', '${editorToken}');
insert into directus_permissions (policy, collection, action, permissions, validation, presets, fields) values
    ('${id('cccc', 1)}', 'notes', 'read', '{"writer":{"_eq":"${writers[1].id}"}}', null, null, '*'),
    ('${id('cccc', 1)}', 'notes', 'create', '{}', '{"writer":{"_eq":"${writers[1].id}"}}', '{"writer":"${writers[1].id}"}', '*'),
    ('${id('cccc', 1)}', 'notes', 'update', '{"writer":{"_eq":"${writers[1].id}"}}', null, null, 'title,status'),
    ('${id('cccc', 1)}', 'notes', 'delete', '{"writer":{"_eq":"${writers[1].id}"}}', null, null, null);`;

let stack;
before(async () => {
    stack = await startApi({ pack: false });
    await stack.run(tables);
});
after(() => stack.stop());

const N = '/items/notes';
const ask = ({ method = 'GET', path, token = stack.adminToken, ...rest }) =>
    stack.call({ method, path: encodeURI(path).replaceAll('#', '%23'), token: token ?? undefined, ...rest });
const mine = notes.filter((n) => n.writer === writers[1].id);
const field = (name, collection = 'notes', where = 'root') => `You don't have permission to access field "${name}" in collection "${collection}" or it does not exist. Queried in ${where}.`;
const noAccess = "You don't have permission to access this.";
const noCollection = (name) => `You don't have permission to access collection "${name}" or it does not exist. Queried in root.`;

// [name, request, expected data]
const reads = [
    ['limit', { path: `${N}?limit=2&fields=id,title,status` }, notes.slice(0, 2).map(pick(['id', 'title', 'status']))],
    ['all fields', { path: `${N}?limit=1` }, [notes[0]]],
    ['one', { path: `${N}/${notes[4].id}` }, notes[4]],
    ['one with fields', { path: `${N}/${notes[4].id}?fields=id,title` }, pick(['id', 'title'])(notes[4])],
    ['limit 0', { path: `${N}?limit=0&fields=id` }, []],
    ['limit -1 with filter', { path: `${N}?limit=-1&fields=id&filter[slug][_eq]=note-5` }, [{ id: notes[5].id }]],
    ['page', { path: `${N}?limit=2&page=3&fields=id` }, notes.slice(4, 6).map(pick(['id']))],
    ['offset', { path: `${N}?limit=2&offset=4&fields=id` }, notes.slice(4, 6).map(pick(['id']))],
    ['page wins over offset', { path: `${N}?limit=2&offset=1&page=2&fields=id` }, notes.slice(2, 4).map(pick(['id']))],
    ['page 0 is the first', { path: `${N}?limit=2&page=0&fields=id` }, notes.slice(0, 2).map(pick(['id']))],
    ['offset beyond', { path: `${N}?limit=2&offset=1000000&fields=id` }, []],
    ['sort desc', { path: `${N}?limit=2&fields=slug&sort=-word_count` }, [{ slug: 'note-29' }, { slug: 'note-28' }]],
    ['sort multi', { path: `${N}?limit=2&fields=status,slug&sort=status,-word_count` }, [{ status: 'archived', slug: 'note-21' }, { status: 'archived', slug: 'note-11' }]],
    ['sort array', { path: `${N}?limit=2&fields=status,slug&sort[]=status&sort[]=-word_count` }, [{ status: 'archived', slug: 'note-21' }, { status: 'archived', slug: 'note-11' }]],
    ['sort m2o', { path: `${N}?limit=2&fields=id,writer.name&sort=writer.name,id` }, [{ id: notes[0].id, writer: { name: 'Writer 0' } }, { id: notes[3].id, writer: { name: 'Writer 0' } }]],
    ['sort function', { path: `${N}?limit=1&fields=slug&sort=-year(published_at),id` }, [{ slug: 'note-4' }]],
    ['unknown parameter', { path: `${N}?limit=1&fields=id&foo=bar` }, [{ id: notes[0].id }]],
    ['filter as JSON', { path: `${N}?limit=1&fields=slug&filter={"slug":{"_eq":"note-7"}}` }, [{ slug: 'note-7' }]],
    ['token in the query', { path: `${N}?limit=1&fields=id&access_token=${editorToken}`, token: null }, [{ id: mine[0].id }]],
    ['fields[]', { path: `${N}/${notes[4].id}?fields[]=id&fields[]=writer.name` }, { id: notes[4].id, writer: { name: 'Writer 1' } }],
    ['m2o id', { path: `${N}/${notes[4].id}?fields=writer` }, { writer: writers[1].id }],
    ['m2o and below', { path: `${N}/${notes[4].id}?fields=writer,writer.name` }, { writer: { name: 'Writer 1' } }],
    ['m2o null', { path: `${N}/${notes[13].id}?fields=writer.name` }, { writer: null }],
    ['m2o all', { path: `${N}/${notes[4].id}?fields=writer.id,writer.bio` }, { writer: { id: writers[1].id, bio: 'Bio 1' } }],
    ['wildcard and below', { path: `${N}/${notes[4].id}?fields=*,writer.name` }, { ...without(notes[4], 'writer'), writer: { name: 'Writer 1' } }],
    ['o2m', { path: `/items/writers/${writers[1].id}?fields=name,notes.slug` }, { name: 'Writer 1', notes: notes.filter((n) => n.writer === writers[1].id).map(pick(['slug'])) }],
    ['o2m with deep', { path: `/items/writers/${writers[1].id}?fields=notes.slug&deep={"notes":{"_limit":2,"_sort":["-word_count"]}}` }, { notes: [{ slug: 'note-28' }, { slug: 'note-25' }] }],
    ['three levels', { path: `${N}/${notes[4].id}?fields=title,writer.notes.writer.name&deep={"writer":{"notes":{"_limit":1}}}` }, { title: notes[4].title, writer: { notes: [{ writer: { name: 'Writer 1' } }] } }],
    ['alias', { path: `${N}?limit=1&fields=id,t&alias[t]=title` }, [{ id: notes[0].id, t: notes[0].title }]],
    ['functions', { path: `${N}/${notes[4].id}?fields=year(published_at),month(published_at),day(published_at),hour(published_at),minute(published_at)` },
        { published_at_year: '2024', published_at_month: '3', published_at_day: '5', published_at_hour: '10', published_at_minute: '20' }],
    ['deep filter on m2o', { path: `${N}?limit=2&sort=id&fields=id,writer.name&deep[writer][_filter][name][_eq]=Writer 1` }, [{ id: notes[0].id, writer: null }, { id: notes[1].id, writer: { name: 'Writer 1' } }]],
    ['deep on an unknown relation', { path: `${N}?limit=1&fields=id&deep[nope][_limit]=1` }, [{ id: notes[0].id }]],
    ['deep without underscore', { path: `${N}?limit=1&fields=id,writer.name&deep[writer][limit]=1` }, [{ id: notes[0].id, writer: { name: 'Writer 0' } }]],
    ['bracket form nested', { path: `${N}?fields=slug&filter[_and][0][status][_eq]=draft&filter[_and][1][slug][_starts_with]=note-1` }, [{ slug: 'note-10' }, { slug: 'note-15' }]],
    ['bracket _in list', { path: `${N}?fields=slug&filter[slug][_in]=note-1,note-2` }, [{ slug: 'note-1' }, { slug: 'note-2' }]],
    ['bracket _in []', { path: `${N}?fields=slug&filter[slug][_in][]=note-1&filter[slug][_in][]=note-2` }, [{ slug: 'note-1' }, { slug: 'note-2' }]],
    ['bracket _null', { path: `${N}?fields=slug&filter[body][_null]=true` }, [{ slug: 'note-7' }]],
    ['search', { path: `${N}?fields=slug&search=number 29` }, [{ slug: 'note-29' }]],
    ['search a number', { path: `${N}?fields=slug&search=290` }, [{ slug: 'note-29' }]],
    ['search a uuid', { path: `${N}?fields=slug&search=${notes[5].id}` }, [{ slug: 'note-5' }]],
    ['search nothing', { path: `${N}?fields=id&search=zzzqqq` }, []],
    ['SEARCH', { method: 'SEARCH', path: N, body: { query: { filter: { slug: { _in: ['note-1', 'note-2'] } }, fields: ['slug'], sort: ['-slug'] } } }, [{ slug: 'note-2' }, { slug: 'note-1' }]],
    ['SEARCH keys', { method: 'SEARCH', path: N, body: { keys: [notes[4].id, notes[3].id], query: { fields: ['slug'] } } }, [{ slug: 'note-3' }, { slug: 'note-4' }]],
    ['SEARCH keys, some foreign', { method: 'SEARCH', path: N, token: editorToken, body: { keys: [notes[4].id, notes[3].id], query: { fields: ['slug'] } } }, [{ slug: 'note-4' }]],
    ['SEARCH with nothing', { method: 'SEARCH', path: N, body: {} }, notes],
    ['editor sees its own', { path: `${N}?fields=id`, token: editorToken }, mine.map(pick(['id']))],
    ['count', { path: `${N}?aggregate[count]=*` }, [{ count: '30' }]],
    ['count of a field', { path: `${N}?aggregate[count]=id` }, [{ count: { id: '30' } }]],
    ['count distinct', { path: `${N}?aggregate[countDistinct]=status` }, [{ countDistinct: { status: '3' } }]],
    ['sum, min, max', { path: `${N}?aggregate[sum]=word_count&aggregate[min]=word_count&aggregate[max]=word_count` }, [{ sum: { word_count: '4350' }, min: { word_count: 0 }, max: { word_count: 290 } }]],
    ['group', { path: `${N}?aggregate[count]=*&groupBy[]=status&sort=status` }, [{ status: 'archived', count: '3' }, { status: 'draft', count: '6' }, { status: 'published', count: '21' }]],
    ['count with filter', { path: `${N}?aggregate[count]=*&filter[status][_eq]=draft` }, [{ count: '6' }]],
    ['count of the editor', { path: `${N}?aggregate[count]=*`, token: editorToken }, [{ count: String(mine.length) }]],
];

// [name, filter, which notes]
const filters = [
    ['_eq', { status: { _eq: 'draft' } }, (n) => n.status === 'draft'],
    ['shorthand', { status: 'draft' }, (n) => n.status === 'draft'],
    ['_neq', { status: { _neq: 'published' } }, (n) => n.status !== 'published'],
    ['_in', { slug: { _in: ['note-1', 'note-2'] } }, (n) => ['note-1', 'note-2'].includes(n.slug)],
    ['_in csv', { slug: { _in: 'note-1,note-2' } }, (n) => ['note-1', 'note-2'].includes(n.slug)],
    ['_nin', { status: { _nin: ['published', 'draft'] } }, (n) => n.status === 'archived'],
    ['_lt', { word_count: { _lt: 30 } }, (n) => n.word_count < 30],
    ['_lte', { word_count: { _lte: 30 } }, (n) => n.word_count <= 30],
    ['_gt', { published_at: { _gt: '2024-01-01' } }, (n) => n.published_at > '2024'],
    ['_gte', { published_at: { _gte: '2024-03-05T10:20:34Z' } }, (n) => n.published_at >= '2024-03-05T10:20:34.000Z'],
    ['_between', { word_count: { _between: [100, 120] } }, (n) => n.word_count >= 100 && n.word_count <= 120],
    ['_nbetween', { word_count: { _nbetween: [10, 280] } }, (n) => n.word_count < 10 || n.word_count > 280],
    ['_between of one value is no condition', { word_count: { _between: [1] } }, () => true],
    ['_null', { body: { _null: true } }, (n) => n.body === null],
    ['_null false', { body: { _null: false } }, (n) => n.body !== null],
    ['_nnull', { body: { _nnull: true } }, (n) => n.body !== null],
    ['_empty', { body: { _empty: true } }, (n) => !n.body],
    ['_nempty', { body: { _nempty: true } }, (n) => n.body],
    ['_contains', { title: { _contains: 'about trains' } }, (n) => n.title.includes('about trains')],
    ['_ncontains', { title: { _ncontains: 'trains' } }, (n) => !n.title.includes('trains')],
    ['_icontains', { title: { _icontains: 'NUMBER 9 ' } }, (n) => n.slug === 'note-9'],
    ['_starts_with', { slug: { _starts_with: 'note-1' } }, (n) => n.slug.startsWith('note-1')],
    ['_nstarts_with', { slug: { _nstarts_with: 'note-1' } }, (n) => !n.slug.startsWith('note-1')],
    ['_istarts_with', { slug: { _istarts_with: 'NOTE-1' } }, (n) => n.slug.startsWith('note-1')],
    ['_ends_with', { slug: { _ends_with: '9' } }, (n) => n.slug.endsWith('9')],
    ['_nends_with', { slug: { _nends_with: '9' } }, (n) => !n.slug.endsWith('9')],
    ['_iends_with', { status: { _iends_with: 'ED' } }, (n) => n.status.endsWith('ed')],
    ['_niends_with', { status: { _niends_with: 'ED' } }, (n) => !n.status.endsWith('ed')],
    ['_and', { _and: [{ status: { _eq: 'draft' } }, { slug: { _starts_with: 'note-1' } }] }, (n) => n.status === 'draft' && n.slug.startsWith('note-1')],
    ['_or', { _or: [{ slug: { _eq: 'note-1' } }, { slug: { _eq: 'note-2' } }] }, (n) => ['note-1', 'note-2'].includes(n.slug)],
    ['_or in _and', { _and: [{ _or: [{ slug: { _eq: 'note-1' } }, { slug: { _eq: 'note-2' } }] }, { word_count: { _eq: 20 } }] }, (n) => n.slug === 'note-2'],
    ['two fields', { status: { _eq: 'draft' }, slug: { _starts_with: 'note-1' } }, (n) => n.status === 'draft' && n.slug.startsWith('note-1')],
    ['two operators', { slug: { _starts_with: 'note-1', _ends_with: '7' } }, (n) => n.slug === 'note-17'],
    ['empty filter', {}, () => true],
    ['empty _or', { _or: [] }, () => true],
    ['m2o field', { writer: { name: { _eq: 'Writer 1' } } }, (n) => n.writer === writers[1].id],
    ['m2o null', { writer: { id: { _null: true } } }, (n) => n.writer === null],
    ['m2o key', { writer: { _eq: writers[2].id } }, (n) => n.writer === writers[2].id],
    ['function', { 'year(published_at)': { _eq: 2024 } }, (n) => n.published_at.startsWith('2024')],
    ['$NOW', { published_at: { _lt: '$NOW' } }, () => true],
    ['$NOW with an offset', { published_at: { _gt: '$NOW(+1 year)' } }, () => false],
    ['$CURRENT_USER', { writer: { _eq: '$CURRENT_USER' } }, () => false],
    ['_eq null', { status: { _eq: null } }, () => false],
    ['number as text', { word_count: { _eq: '70' } }, (n) => n.slug === 'note-7'],
];

// [name, request, status, code, message]
const errors = [
    ['meta', { path: `${N}?meta=foo` }, 400, 'INVALID_QUERY', 'Invalid query. "meta[0]" must be one of [total_count, filter_count].'],
    ['limit -2', { path: `${N}?limit=-2` }, 400, 'INVALID_QUERY', 'Invalid query. "limit" must be greater than or equal to -1.'],
    ['limit text', { path: `${N}?limit=abc` }, 400, 'INVALID_QUERY', 'Invalid query. "limit" must be a number.'],
    ['offset -1', { path: `${N}?offset=-1` }, 400, 'INVALID_QUERY', 'Invalid query. "offset" must be greater than or equal to 0.'],
    ['sort random', { path: `${N}?sort=?` }, 403, 'FORBIDDEN', field('?')],
    ['sort unknown', { path: `${N}?sort=nope` }, 403, 'FORBIDDEN', field('nope')],
    ['filter JSON', { path: `${N}?filter={bad` }, 400, 'INVALID_QUERY', 'Invalid query. Invalid JSON for filter object.'],
    ['two tokens', { path: `${N}?access_token=x` }, 400, 'INVALID_PAYLOAD', 'Invalid payload. The request uses more than one method for including an access token.'],
    ['alias of nothing', { path: `${N}?fields=id,t&alias[t]=nope` }, 403, 'FORBIDDEN', field('nope')],
    ['alias with a dot', { path: `${N}?fields=id&alias[a.b]=title` }, 400, 'INVALID_QUERY', `Invalid query. "alias" key/value can't contain a period character \`.\`.`],
    ['function on a text', { path: `${N}?fields=year(title)` }, 400, 'INVALID_QUERY', 'Invalid query. Invalid function specified "year".'],
    ['unknown function', { path: `${N}?fields=foo(title)` }, 400, 'INVALID_QUERY', 'Invalid query. Invalid function specified "foo".'],
    ['unknown field', { path: `${N}?fields=nope` }, 403, 'FORBIDDEN', field('nope')],
    ['unknown field below', { path: `${N}?fields=writer.nope` }, 403, 'FORBIDDEN', field('nope', 'writers', '"writer"')],
    ['unknown field, editor', { path: `${N}?fields=nope`, token: editorToken }, 403, 'FORBIDDEN', field('nope')],
    ['too deep', { path: `${N}?fields=${Array(6).fill('writer.notes').join('.')}.id` }, 400, 'INVALID_QUERY', 'Invalid query. Max relational depth exceeded.'],
    ['_in empty', { path: `${N}?filter={"slug":{"_in":[]}}` }, 400, 'INVALID_QUERY', 'Invalid query. "_in" has to be an array of values.'],
    ['_nin empty', { path: `${N}?filter={"slug":{"_nin":[]}}` }, 400, 'INVALID_QUERY', 'Invalid query. "_nin" has to be an array of values.'],
    ['unknown operator', { path: `${N}?filter={"status":{"_foo":1}}` }, 400, 'INVALID_QUERY', 'Invalid query. "string" field type does not contain the "_foo" filter operator.'],
    ['unknown filter field', { path: `${N}?filter={"nope":{"_eq":1}}` }, 403, 'FORBIDDEN', field('nope')],
    ['unknown filter field below', { path: `${N}?filter={"writer":{"nope":{"_eq":1}}}` }, 403, 'FORBIDDEN', field('nope', 'writers', '"writer"')],
    ['text for an integer', { path: `${N}?filter={"word_count":{"_eq":"abc"}}` }, 400, 'INVALID_QUERY', 'Invalid query. Invalid numeric value.'],
    ['_contains on an integer', { path: `${N}?filter={"word_count":{"_contains":"3"}}` }, 400, 'INVALID_QUERY', 'Invalid query. "integer" field type does not contain the "_contains" filter operator.'],
    ['_nicontains', { path: `${N}?filter={"title":{"_nicontains":"x"}}` }, 400, 'INVALID_QUERY', 'Invalid query. "string" field type does not contain the "_nicontains" filter operator.'],
    ['_gt on a text', { path: `${N}?filter={"title":{"_gt":"a"}}` }, 400, 'INVALID_QUERY', 'Invalid query. "string" field type does not contain the "_gt" filter operator.'],
    ['_some on an m2o', { path: `${N}?filter={"writer":{"_some":{"name":{"_eq":"x"}}}}` }, 400, 'INVALID_QUERY', 'Invalid query. "_some" can only be used with top level relational alias field.'],
    ['array as filter', { path: `${N}?filter=[1]` }, 403, 'FORBIDDEN', field('0')],
    ['null as condition', { path: `${N}?filter={"status":null}` }, 400, 'INVALID_QUERY', 'Invalid query. Invalid filter object.'],
    ['_regex', { path: `${N}?filter={"slug":{"_regex":"^a"}}` }, 400, 'INVALID_QUERY', 'Invalid query. "string" field type does not contain the "_regex" filter operator.'],
    ['SEARCH with a bad limit', { method: 'SEARCH', path: N, body: { query: { limit: 'x' } } }, 400, 'INVALID_QUERY', 'Invalid query. "limit" must be a number.'],
    ['aggregate of nothing', { path: `${N}?aggregate[count]=nope` }, 403, 'FORBIDDEN', field('nope')],
    ['missing item', { path: `${N}/${id('bbbb', 999)}` }, 403, 'FORBIDDEN', noAccess],
    ['key not a uuid', { path: `${N}/abc` }, 403, 'FORBIDDEN', noAccess],
    ['foreign item', { path: `${N}/${notes[3].id}`, token: editorToken }, 403, 'FORBIDDEN', noAccess],
    ['unknown collection', { path: '/items/nope' }, 403, 'FORBIDDEN', noCollection('nope')],
    ['unknown collection, one', { path: '/items/nope/1' }, 403, 'FORBIDDEN', noCollection('nope')],
    ['system collection', { path: '/items/directus_users' }, 403, 'FORBIDDEN', noAccess],
    ['anonymous', { path: N, token: null }, 403, 'FORBIDDEN', noCollection('notes')],
    ['anonymous POST', { method: 'POST', path: N, token: null, body: { title: 'x' } }, 403, 'FORBIDDEN', noCollection('notes')],
    ['JSON cut off', { method: 'POST', path: N, text: '{"title":' }, 400, 'INVALID_PAYLOAD', /^Invalid payload\. .+\.$/],
    ['JSON scalar', { method: 'POST', path: N, text: '"x"' }, 400, 'INVALID_PAYLOAD', /^Invalid payload\. .+\.$/],
    ['JSON null', { method: 'POST', path: N, text: 'null' }, 400, 'INVALID_PAYLOAD', /^Invalid payload\. .+\.$/],
    ['POST without body', { method: 'POST', path: N }, 400, 'FAILED_VALIDATION', 'Validation failed for field "title". Value is required.'],
    ['POST of a form', { method: 'POST', path: N, text: 'title=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400, 'FAILED_VALIDATION', 'Validation failed for field "title". Value is required.'],
    ['null for not-null', { method: 'POST', path: N, body: { title: null } }, 400, 'FAILED_VALIDATION', `Validation failed for field "title". Value can't be null.`],
    ['duplicate key', { method: 'POST', path: N, body: { id: notes[1].id, title: 'x' } }, 400, 'RECORD_NOT_UNIQUE', `Value "${notes[1].id}" for field "id" in collection "notes" has to be unique.`],
    ['duplicate slug', { method: 'POST', path: N, body: { slug: 'note-1', title: 'x' } }, 400, 'RECORD_NOT_UNIQUE', 'Value "note-1" for field "slug" in collection "notes" has to be unique.'],
    ['own key not a uuid', { method: 'POST', path: N, body: { id: 'zzz', title: 'x' } }, 403, 'FORBIDDEN', noAccess],
    ['foreign key to nothing', { method: 'POST', path: N, body: { title: 'x', writer: id('aaaa', 77) } }, 400, 'INVALID_FOREIGN_KEY', `Invalid foreign key "${id('aaaa', 77)}" for field "writer" in collection "notes".`],
    ['too long', { method: 'POST', path: N, body: { title: 'x'.repeat(256) } }, 400, 'VALUE_TOO_LONG', /is too long\.$/],
    ['out of range', { method: 'POST', path: N, body: { title: 'x', word_count: 3000000000 } }, 400, 'VALUE_OUT_OF_RANGE', /is out of range\.$/],
    ['batch with one bad row', { method: 'POST', path: N, body: [{ title: 'fine' }, { slug: 'note-1', title: 'x' }] }, 400, 'RECORD_NOT_UNIQUE', 'Value "note-1" for field "slug" in collection "notes" has to be unique.'],
    ['editor fails validation', { method: 'POST', path: N, token: editorToken, body: { title: 'x', writer: writers[0].id } }, 400, 'FAILED_VALIDATION', `Validation failed for field "writer". Value has to be "${writers[1].id}".`],
    ['editor without create', { method: 'POST', path: '/items/writers', token: editorToken, body: { name: 'x' } }, 403, 'FORBIDDEN', noCollection('writers')],
    ['editor updates a foreign row', { method: 'PATCH', path: `${N}/${notes[3].id}`, token: editorToken, body: { title: 'x' } }, 403, 'FORBIDDEN', `You don't have permissions to perform "update" for the field(s) "title" in collection "notes" or it does not exist.`],
    ['editor deletes a foreign row', { method: 'DELETE', path: `${N}/${notes[3].id}`, token: editorToken }, 403, 'FORBIDDEN', `You don't have permission to perform "delete" for collection "notes" or it does not exist.`],
    ['PATCH without data', { method: 'PATCH', path: N, body: { foo: 1 } }, 400, 'INVALID_PAYLOAD', 'Invalid payload. "data" is required.'],
    ['batch item without key', { method: 'PATCH', path: N, body: [{ title: 'x' }] }, 400, 'INVALID_PAYLOAD', 'Invalid payload. Item in update misses primary key.'],
    ['update to null', { method: 'PATCH', path: `${N}/${notes[1].id}`, body: { title: null } }, 400, 'FAILED_VALIDATION', `Validation failed for field "title". Value can't be null.`],
    ['DELETE without keys', { method: 'DELETE', path: N }, 400, 'INVALID_PAYLOAD', 'Invalid payload. "value" must contain at least one of [query, keys].'],
    ['unknown route', { path: '/no/such/route' }, 404, 'ROUTE_NOT_FOUND', "Route /no/such/route doesn't exist."],
    ['unknown route POST', { method: 'POST', path: '/no/such', body: {} }, 404, 'ROUTE_NOT_FOUND', "Route /no/such doesn't exist."],
    ['unknown method', { method: 'PUT', path: N, body: {} }, 404, 'ROUTE_NOT_FOUND', "Route /items/notes doesn't exist."],
    ['bad static token', { path: N, token: 'wrong' }, 401, 'INVALID_CREDENTIALS', 'Invalid user credentials.'],
    ['bad token in the query', { path: `${N}?access_token=wrong`, token: null }, 401, 'INVALID_CREDENTIALS', 'Invalid user credentials.'],
    ['bad token on a public route', { path: '/server/info', token: 'wrong' }, 401, 'INVALID_CREDENTIALS', 'Invalid user credentials.'],
    ['bad token on no route', { path: '/no/such', token: 'wrong' }, 401, 'INVALID_CREDENTIALS', 'Invalid user credentials.'],
    ['login without e-mail', { method: 'POST', path: '/auth/login', body: {} }, 400, 'INVALID_PAYLOAD', 'Invalid payload. "email" is required.'],
    ['login with a bad e-mail', { method: 'POST', path: '/auth/login', body: { email: 'zz', password: 'x' } }, 400, 'INVALID_PAYLOAD', 'Invalid payload. "email" must be a valid email.'],
    ['login without password', { method: 'POST', path: '/auth/login', body: { email: 'a@b.c' } }, 400, 'INVALID_PAYLOAD', 'Invalid payload. "password" is required.'],
    ['refresh without token', { method: 'POST', path: '/auth/refresh', body: { mode: 'json' } }, 400, 'INVALID_PAYLOAD', 'Invalid payload. The refresh token is required in either the payload or cookie.'],
];

for (const [name, request, expected] of reads)
    test(`read: ${name}`, async () => {
        const answer = await ask(request);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.body.data, expected);
        assert.deepEqual(Object.keys([].concat(answer.body.data)[0] ?? {}), Object.keys([].concat(expected)[0] ?? {}), 'order of the fields');
    });

for (const [name, filter, predicate] of filters)
    test(`filter: ${name}`, async () => {
        const expected = bySlug(notes.filter(predicate)).map(pick(['slug']));
        const path = `${N}?fields=slug&sort=slug&meta=filter_count&filter=`;
        const answer = await stack.call({ path: path + encodeURIComponent(JSON.stringify(filter)), token: stack.adminToken });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.body, { meta: { filter_count: expected.length }, data: expected });
        const searched = await ask({ method: 'SEARCH', path: N, body: { query: { filter, fields: ['slug'], sort: ['slug'] } } });
        assert.deepEqual(searched.body.data, expected);
    });

for (const [name, request, status, code, message] of errors)
    test(`error: ${name}`, async () => {
        const answer = await ask(request);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
        assert.equal(codeOf(answer), code);
        const said = answer.body.errors[0].message;
        if (message instanceof RegExp) assert.match(said, message);
        else assert.equal(said, message);
        const reason = /^Invalid (?:query|payload)\. ([^]*)\.$/.exec(said)?.[1] ?? (code === 'FORBIDDEN' && said !== noAccess ? said : undefined);
        assert.equal(answer.body.errors[0].extensions.reason, reason);
    });

test('meta_counts_come_only_when_asked_for', async () => {
    assert.deepEqual((await ask({ path: `${N}?limit=1&fields=id&meta=*` })).body.meta, { total_count: 30, filter_count: 30 });
    assert.deepEqual((await ask({ path: `${N}?limit=1&fields=id&meta=total_count&filter[status][_eq]=draft` })).body.meta, { total_count: 30 });
    assert.deepEqual((await ask({ path: `${N}?limit=1&fields=id&meta=*`, token: editorToken })).body.meta, { total_count: mine.length, filter_count: mine.length });
    assert.equal((await ask({ path: `${N}?limit=1` })).body.meta, undefined);
});

test('writes_answer_as_directus_does', async () => {
    const made = await ask({ method: 'POST', path: `${N}?fields=id,title,status`, body: { title: 'Golden' } });
    assert.deepEqual({ ...made.body.data, id: 1 }, { id: 1, title: 'Golden', status: 'draft' });
    const key = made.body.data.id;
    const one = `${N}/${key}`;
    assert.deepEqual((await ask({ method: 'PATCH', path: `${one}?fields=title`, body: { title: 'Golden 2' } })).body, { data: { title: 'Golden 2' } });
    assert.deepEqual((await ask({ method: 'PATCH', path: `${one}?fields=title`, body: {} })).body, { data: { title: 'Golden 2' } });
    assert.equal((await ask({ method: 'PATCH', path: `${one}?fields=title`, body: { nope: 1 } })).status, 200);
    assert.deepEqual((await ask({ method: 'PATCH', path: `${one}?fields=id`, body: { id: id('bbbb', 500) } })).body, { data: { id: key } });
    assert.equal((await ask({ method: 'PATCH', path: `${N}/${id('bbbb', 999)}`, body: { title: 'x' } })).status, 204);
    const nested = await ask({ method: 'POST', path: `${N}?fields=writer.name`, body: { title: 'n', slug: 'golden-n', writer: { name: 'New' } } });
    assert.deepEqual(nested.body, { data: { writer: { name: 'New' } } });
    const preset = await ask({ method: 'POST', path: `${N}?fields=writer`, token: editorToken, body: { title: 'e', slug: 'golden-e' } });
    assert.deepEqual(preset.body, { data: { writer: writers[1].id } });
    assert.deepEqual((await ask({ method: 'POST', path: N, body: [] })).body, { data: [] });
    for (let i = 0; i < 2; i++) {
        const gone = await ask({ method: 'DELETE', path: one });
        assert.deepEqual([gone.status, gone.text], [204, '']);
    }
    assert.equal((await ask({ method: 'DELETE', path: N, body: { query: { filter: { slug: { _starts_with: 'golden' } }, limit: -1 } } })).status, 204);
    await stack.run(`delete from writers where name = 'New'`);
    assert.deepEqual(await stack.rows('select count(*) from notes'), [['30']]);
});

test('refused_writes_have_written_nothing', async () => {
    assert.deepEqual(await stack.rows('select count(*), count(distinct slug) from notes'), [['30', '30']]);
    assert.deepEqual(await stack.rows('select count(*) from writers'), [['3']]);
});

test('a_conditional_get_of_the_same_answer_is_304', async () => {
    const path = `${N}/${notes[4].id}?fields=id,title`;
    const first = await ask({ path });
    assert.match(first.headers.etag, /^W\/"[0-9a-f]+-[^"]+"$/);
    assert.equal(first.headers['cache-control'], 'no-cache');
    for (const tags of [first.headers.etag, `"x", ${first.headers.etag}`, '*']) {
        const again = await ask({ path, headers: { 'if-none-match': tags } });
        assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', first.headers.etag]);
    }
    assert.equal((await ask({ path, headers: { 'if-none-match': 'W/"1-1"' } })).status, 200);
});

test('server_routes_answer_as_directus_does', async () => {
    const ping = await ask({ path: '/server/ping', token: 'wrong' });
    assert.deepEqual([ping.status, ping.text, ping.headers['content-type']], [200, 'pong', 'text/html; charset=utf-8']);
    assert.equal((await ask({ path: '/SERVER/Ping/' })).text, 'pong');
    const health = await ask({ path: '/server/health', token: null });
    assert.deepEqual([health.text, health.headers['content-type']], ['{"status":"ok"}', 'application/health+json; charset=utf-8']);
    assert.ok((await ask({ path: '/server/health' })).body.checks['pg:responseTime']);
    const robots = await ask({ path: '/robots.txt', token: null });
    assert.equal(robots.text, 'User-agent: *\nDisallow: /');
    const root = await ask({ path: '/', token: null });
    assert.deepEqual([root.status, root.headers.location], [302, './admin/']);
    const info = await ask({ path: '/server/info', token: null });
    assert.deepEqual(Object.keys(info.body.data), ['project', 'setupCompleted']);
    assert.equal((await ask({ path: '/server/info' })).body.data.queryLimit.default, 100);
});
