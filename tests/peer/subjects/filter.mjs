// Every operator on every type of field; relations; logic; variables; what is refused.

const ask = (collection, filter) => [['GET /items/' + collection, undefined, { query: { fields: 'id', sort: 'id', limit: -1, filter } }]];
const named = (prefix, collection, list) => Object.fromEntries(list.map((filter) => [`${prefix} ${JSON.stringify(filter)}`, ask(collection, filter)]));

const operators = ['_eq', '_neq', '_lt', '_lte', '_gt', '_gte', '_in', '_nin', '_between', '_nbetween', '_null', '_nnull', '_empty', '_nempty', '_contains', '_ncontains', '_icontains', '_nicontains', '_starts_with',
    '_nstarts_with', '_istarts_with', '_nistarts_with', '_ends_with', '_nends_with', '_iends_with', '_niends_with', '_regex', '_ieq', '_intersects', '_submitted', '_some'];
const values = {
    name: 'alpha', long: '%', yes: true, number: 2, huge: '9223372036854775807', ratio: 0.5, wide: 2.5, money: '1.5', day: '2024-01-01', moment: '2024-01-01T00:00:00', clock: '10:00:00', instant: '2024-01-01T00:00:00Z', data: 'text',
    list: 'one', ident: '00000000-0000-4000-8000-e00000000001', secret: 'x', masked: 'hidden', id: 3,
};
const lists = new Set(['_in', '_nin', '_between', '_nbetween']);
const flags = new Set(['_null', '_nnull', '_empty', '_nempty', '_submitted']);
const valueFor = (operator, value) => (flags.has(operator) ? true : lists.has(operator) ? [value, value] : value);
const table = Object.fromEntries(Object.entries(values).flatMap(([field, value]) =>
    operators.map((operator) => [`${field} ${operator}`, ask('samples', { [field]: { [operator]: valueFor(operator, value) } })])));

const odd = [null, '', true, 'true', 0, '0', 1.5, '1.5', -1, 'x', [], [1], {}, { a: 1 }, '$NOW', 1e20, '2024-13-01', 'null', ['a', 'b'], [null], ' 2 '];
const oddFor = (field, operators) => Object.fromEntries(operators.flatMap((operator) => odd.map((value) => [`odd ${field} ${operator} ${JSON.stringify(value)}`, ask('samples', { [field]: { [operator]: value } })])));

export default {
    ...table,
    ...oddFor('name', ['_eq', '_in', '_contains', '_null', '_between']),
    ...oddFor('number', ['_eq', '_in', '_gt', '_between', '_nnull']),
    ...oddFor('yes', ['_eq', '_neq']),
    ...oddFor('instant', ['_eq', '_lt']),
    ...oddFor('day', ['_eq', '_gt']),
    ...oddFor('ident', ['_eq', '_in']),
    ...oddFor('money', ['_eq', '_gte']),
    ...oddFor('huge', ['_eq', '_lt']),
    ...oddFor('list', ['_eq', '_contains']),
    ...oddFor('data', ['_eq', '_null']),
    ...named('text', 'samples', [{ name: { _contains: '_' } }, { name: { _contains: '%' } }, { long: { _contains: '\\' } }, { long: { _contains: "'" } }, { name: { _icontains: 'ÜNÏ' } }, { name: { _starts_with: 'Ü' } }, { name: { _istarts_with: 'ALPHA' } }, { name: { _niends_with: 'BET' } },
        { name: { _in: 'alpha,Alpha' } }, { name: { _nin: 'alpha' } }, { name: { _in: { 0: 'alpha', 1: '123' } } }, { name: { _eq: 'Alpha ' } }, { name: { _eq: 123 } }, { name: { _in: [123] } }, { name: { _gt: 'a' } }, { name: { _empty: false } }, { name: { _nempty: false } }, { name: { _null: false } }, { name: { _null: 'false' } },
        { name: { _nnull: false } }, { name: { _null: 1 } }, { name: { _null: '' } }, { long: { _ends_with: '"line 2"' } }, { list: { _empty: true } }, { list: { _in: ['one', 'x'] } }, { list: { _contains: 'b' } }, { name: { _eq: null } }, { name: { _neq: null } }, { name: { _neq: 'alpha' } }]),
    ...named('null', 'samples', [{ name: { _nin: ['alpha', null] } }, { name: { _nin: [null] } }, { name: { _nin: 'alpha,null' } }, { name: { _in: ',' } }, { name: { _in: [''] } }, { number: { _nin: [1, null] } }, { number: { _in: 'null,2' } }, { number: { _between: [null, 5] } }, { huge: { _nin: [1, null] } }, { huge: { _in: [1, null] } },
        { huge: { _between: [null, 5] } }, { huge: { _gt: null } }, { day: { _gt: null } }, { day: { _nin: [null] } }, { instant: { _gt: null } }, { ident: { _nin: [null] } }, { ident: { _in: [null] } }, { name: { _ncontains: null } }, { name: { _starts_with: null } }, { 'year(day)': { _gt: null } }]),
    ...named('variable', 'samples', [{ money: { _gt: '$NOW' } }, { wide: { _lt: '$NOW(-1 day)' } }, { number: { _in: '$CURRENT_ROLES' } }, { number: { _in: ['$CURRENT_ROLE', 1] } }, { wide: { _between: [0, '$NOW'] } }, { name: { _eq: '$NOW' } }, { ident: { _nin: ['$CURRENT_ROLE'] } }]),
    ...named('unsafe', 'samples', [{ wide: 1e20 }, { wide: { _in: [1e20] } }, { wide: { _between: [0, 1e20] } }, { wide: { _lt: -1e20 } }, { wide: { _lt: '1e30' } }]),
    ...named('number', 'samples', [{ number: { _eq: '2' } }, { number: { _in: '1,2' } }, { number: { _in: ['1', 2] } }, { number: { _between: [0, 5] } }, { number: { _between: '0,5' } }, { number: { _between: [5] } }, { number: { _between: [5, 0] } }, { number: { _nbetween: [0, 5] } }, { number: { _gt: 1, _lt: 6 } }, { number: { _eq: 1.5 } },
        { number: { _gt: 1.5 } }, { number: { _eq: 3000000000 } }, { huge: { _eq: 9007199254740993 } }, { huge: { _eq: '-9007199254740993' } }, { huge: { _gt: '9223372036854775806' } }, { money: { _eq: 999999999.999 } }, { money: { _lt: '0' } }, { ratio: { _between: [-1, 1] } }, { wide: { _gt: 1e99 } }, { number: { _in: [1, 'x'] } }, { id: { _nin: [1, 2, 3] } }]),
    ...named('time', 'samples', [{ day: { _gt: '2024-01-01' } }, { day: { _eq: '2024-01-01T10:00:00Z' } }, { day: { _lt: '$NOW' } }, { day: { _between: ['2024-01-01', '2024-02-29'] } }, { moment: { _gte: '2024-01-01' } }, { moment: { _lt: '$NOW(-1 year)' } }, { instant: { _gt: '$NOW' } }, { instant: { _gt: '$NOW(+50 years)' } }, { instant: { _lt: '$NOW(-2 d)' } },
        { instant: { _between: ['2024-01-01', '2024-01-31'] } }, { instant: { _eq: '2024-01-01T01:00:00+01:00' } }, { instant: { _eq: '1999-12-31T23:59:59.999Z' } }, { clock: { _gt: '12:00' } }, { clock: { _between: ['00:00:00', '10:00:00'] } }, { clock: { _lte: '24:00:00' } }, { instant: { _gt: '2024-01-01T24:00:00Z' } }, { day: { _null: true } }, { instant: { _in: ['2024-01-01T00:00:00Z', '2024-01-02T00:00:00Z'] } }, { moment: { _contains: '2024' } },
        { instant: { _contains: '2024' } }, { instant: { _empty: true } }, { day: { _in: ['2024-01-01'] } }, { instant: { _eq: '$NOW(x)' } }, { instant: { _lt: '$NOWHERE' } }, { day: { _eq: '2024-02-30' } }]),
    ...named('truth', 'samples', [{ yes: { _eq: 1 } }, { yes: { _eq: 'true' } }, { yes: { _eq: 'false' } }, { yes: { _eq: false } }, { yes: { _neq: true } }, { yes: { _null: true } }, { yes: true }, { yes: { _in: [true] } }]),
    ...named('logic', 'samples', [{}, { _and: [] }, { _or: [] }, { _and: [{}] }, { _or: [{}] }, { _or: [{}, { id: 1 }] }, { _and: [{ id: { _gt: 2 } }, { id: { _lt: 6 } }] }, { _or: [{ id: 1 }, { id: 3 }] }, { _or: [{ _and: [{ id: { _gt: 6 } }, { yes: { _null: true } }] }, { name: 'alpha' }] }, { id: { _or: [{ _eq: 1 }, { _eq: 5 }] } }, { id: { _and: [{ _gt: 1 }, { _lt: 5 }] } },
        { id: { _gt: 1 }, name: { _nnull: true } }, { _and: { id: 1 } }, { _or: 'x' }, { _and: [1] }, { _and: [null] }, { _not: { id: 1 } }, { _not: [1] }, { id: {} }, { id: [] }, { id: null }, { id: 3 }, { name: 'alpha' }, { _eq: 1 }, { id: { id: { _eq: 1 } } }, { id: { _nope: 1 } }, { nope: { _eq: 1 } }, { nope: 1 }, { 'id.x': 1 }, { '': 1 }, { id: { _eq: 1 }, _or: [{ id: 1 }, { id: 2 }] },
        { _and: [{ _or: [{ id: 1 }, { id: 2 }, { id: 3 }] }, { _or: [{ id: 2 }, { id: 4 }] }] }, { id: { _eq: '$CURRENT_USER' } }]),
    ...named('m2o', 'articles', [{ author: { _null: true } }, { author: { _nnull: true } }, { author: { _eq: '00000000-0000-4000-8000-a00000000002' } }, { author: '00000000-0000-4000-8000-a00000000002' }, { author: { id: { _eq: '00000000-0000-4000-8000-a00000000002' } } }, { author: { name: { _eq: 'Author 3' } } }, { author: { name: 'Author 3' } },
        { author: { name: { _null: true } } }, { author: { country: { name: { _eq: 'France' } } } }, { author: { country: { _null: true } } }, { author: { country: 'de' } }, { author: { boss: { boss: { name: { _eq: 'Author 1' } } } } }, { author: { name: { _neq: 'Author 3' } } }, { author: { _in: ['00000000-0000-4000-8000-a00000000002'] } }, { author: { nope: 1 } },
        { author: { name: { _starts_with: 'Author' }, rating: { _gt: 0.5 } } }, { author: { _or: [{ name: 'Author 2' }, { name: 'Author 3' }] } }, { author: { _and: [{ name: { _contains: '2' } }] } }, { category: { name: { _eq: 'Category 2' } } }, { category: { parent: { name: { _null: true } } } }, { category: { _in: [1, 2] } }, { category: { _gt: 2 } }, { author: {} }, { author: { _contains: 'a' } },
        { author: { _some: { name: 'x' } } }, { author: { bio: { _empty: true } } }]),
    ...named('o2m', 'articles', [{ remarks: { stars: { _eq: 5 } } }, { remarks: { stars: { _gt: 3 }, text: { _contains: '1' } } }, { _and: [{ remarks: { stars: 5 } }, { remarks: { stars: 1 } }] }, { remarks: { _some: { stars: { _eq: 5 } } } }, { remarks: { _none: { stars: { _eq: 5 } } } }, { remarks: { _none: {} } }, { remarks: { _some: {} } }, { remarks: { id: { _null: true } } },
        { remarks: { _null: true } }, { remarks: { _nnull: true } }, { remarks: { _eq: 5 } }, { remarks: 5 }, { remarks: { _in: [1, 2] } }, { remarks: { author: { name: 'Author 2' } } }, { remarks: { author: { country: { code: 'fr' } } } }, { _or: [{ remarks: { stars: 5 } }, { id: 24 }] }, { remarks: { _some: { author: { name: { _eq: 'Author 3' } } } } },
        { remarks: { _some: { stars: { _gt: 4 } }, _none: { stars: 0 } } }, { author: { articles: { _some: { id: 1 } } } }, { author: { articles: { id: { _eq: 1 } } } }, { remarks: { _and: [{ stars: { _gt: 1 } }, { stars: { _lt: 3 } }] } }, { remarks: { _or: [{ stars: 5 }, { stars: 0 }] } }, { remarks: { nope: 1 } }, { remarks: { _some: { nope: 1 } } }, { _and: [{ remarks: { _none: { stars: { _lt: 3 } } } }] },
        { remarks: { article: { id: 3 } } }, { remarks: { stars: { _null: true } } }, { remarks: { _empty: true } }]),
    ...named('m2m', 'articles', [{ labels: { labels_id: { name: { _eq: 'label-2' } } } }, { labels: { labels_id: { color: { _in: ['red', 'blue'] } } } }, { labels: { labels_id: { _eq: '00000000-0000-4000-8000-b00000000002' } } }, { labels: { labels_id: '00000000-0000-4000-8000-b00000000002' } }, { labels: { note: { _null: true } } }, { labels: { _some: { labels_id: { color: 'red' } } } },
        { labels: { _none: { labels_id: { color: { _eq: 'red' } } } } }, { labels: { _null: true } }, { labels: { id: { _null: true } } }, { _and: [{ labels: { labels_id: { name: 'label-2' } } }, { labels: { labels_id: { name: 'label-3' } } }] }, { labels: { labels_id: { articles: { articles_id: { id: { _eq: 3 } } } } } }, { labels: { labels_id: { weight: { _null: true } } } }]),
    ...named('m2a', 'articles', [{ blocks: { 'item:block_texts': { heading: { _eq: 'Heading 1' } } } }, { blocks: { 'item:block_quotes': { quote: { _contains: '2' } } } }, { blocks: { collection: { _eq: 'block_texts' } } }, { blocks: { item: { _eq: '1' } } }, { blocks: { item: { heading: { _eq: 'x' } } } }, { blocks: { 'item:nope': { x: 1 } } }, { blocks: { 'item:block_quotes': { author: { name: 'Author 2' } } } },
        { _or: [{ blocks: { 'item:block_texts': { id: 1 } } }, { blocks: { 'item:block_quotes': { author: { _nnull: true } } } }] }, { blocks: { _some: { 'item:block_texts': { heading: { _contains: '1' } } } } }, { blocks: { _none: { collection: 'block_texts' } } }, { blocks: { 'item:block_texts': { nope: 1 } } }]),
    ...named('translations', 'articles', [{ translations: { title: { _contains: '1' } } }, { translations: { languages_code: { code: { _eq: 'de-DE' } } } }, { translations: { languages_code: 'de-DE', summary: { _null: true } } }, { translations: { _some: { languages_code: { _eq: 'en-US' } } } }]),
    ...named('from afar', 'articles', [{ '$FOLLOW(home,star)': { id: { _null: true } } }, { '$FOLLOW(home,star)': { _none: { id: { _eq: 1 } } } }, { '$FOLLOW(home,star)': { _some: { id: { _nnull: true } } } }, { '$FOLLOW(nope,star)': { id: 1 } }, { '$FOLLOW(home,nope)': { id: 1 } }]),
    ...named('variables', 'stamps', [{ maker: { _eq: '$CURRENT_USER' } }, { maker: '$CURRENT_USER' }, { maker_role: { _eq: '$CURRENT_ROLE' } }, { maker_role: { _in: ['$CURRENT_ROLES'] } }, { maker_role: { _in: '$CURRENT_ROLES' } }, { name: { _eq: '$CURRENT_USER.first_name' } }, { name: { _neq: '$CURRENT_ROLE.name' } }, { maker: { _in: '$CURRENT_POLICIES' } }, { maker: { _null: true } }]),
    'deep': ask('articles', { author: { boss: { boss: { boss: { boss: { boss: { boss: { boss: { boss: { boss: { boss: { name: 'x' } } } } } } } } } } } }),
    'many branches': ask('articles', { _or: Array.from({ length: 200 }, (_, i) => ({ id: { _eq: i } })) }),
    'many keys': ask('articles', { id: { _in: Array.from({ length: 500 }, (_, i) => i) } }),
};
