// Validation: what a field demands, what the database demands, and what comes of several errors at once.

const make = (body, name) => [`make ${name ?? JSON.stringify(body)}`, [['POST /items/rules', { needed: 'n', code: 'c', ...body }]]];
const change = (body) => [`change ${JSON.stringify(body)}`, [['PATCH /items/rules/1', body]]];

export default Object.fromEntries([
    ...[{ word: 'abc' }, { word: 'ABC' }, { word: '' }, { word: null }, { word: 1 }, { word: ['a'] }, { range: 1 }, { range: 0 }, { range: 10 }, { range: '5' }, { range: 'x' }, { range: null }, { range: 9.5 }, { choice: 'a' }, { choice: 'c' }, { choice: '' }, { choice: null }, { choice: 1 }, { choice: ['a'] },
        { mail: 'a@b' }, { mail: 'ab' }, { mail: '' }, { mail: null }, { mail: 5 }, { pair: 'x' }, { pair: 'yes' }, { pair: 'z' }, { pair: null }, { short: '1234567890' }, { short: '12345678901' }, { level: 1 }, { level: null }, { level: 'x' }, { small: 32767 }, { small: 32768 }, { amount: 999.99 }, { amount: 1000 },
        { word: 'ABC', range: 0, choice: 'c' }, { needed: null }, { needed: '' }, { needed: 1 }, { code: 'first' }, { code: null }, { code: 'x'.repeat(21) }, { code: 'first', word: 'ABC' }, { needed: null, code: null, level: null }, { needed: undefined, word: 'ABC' }, { nope: 1, word: 'abc' }].flatMap((body) => [make(body), change(body)]),
    ['make: everything is missing', [['POST /items/rules', {}]]],
    ['make: several, the errors of one', [['POST /items/rules', [{ needed: 'a', code: 'a' }, { needed: 'b', code: 'b', word: 'B' }]], 'GET /items/rules?aggregate[count]=*']],
    ['make: several, the errors of two', [['POST /items/rules', [{ needed: 'a', code: 'a', range: 0 }, { needed: 'b', code: 'b', word: 'B' }]]]],
    ['make: nested, an error below', [['POST /items/articles', { title: 't', author: { email: 'x@example.com' } }], 'GET /items/articles?aggregate[count]=*']],
    ['make: nested, an error in a list', [['POST /items/articles', { title: 't', labels: [{ labels_id: { color: 'x' } }] }], 'GET /items/articles?aggregate[count]=*']],
    ['make: nested twice, an error far below', [['POST /items/authors', { name: 'a', articles: [{ title: 't', author: null, category: { sort: 1 } }] }], 'GET /items/authors?aggregate[count]=*']],
    ['change keys: a rule', [['PATCH /items/rules', { keys: [1, 2], data: { word: 'B' } }]]],
    ['change keys: unique', [['PATCH /items/rules', { keys: [1, 2], data: { code: 'same' } }], 'GET /items/rules']],
    ['change each: a rule', [['PATCH /items/rules', [{ id: 1, word: 'b' }, { id: 2, word: 'B' }]], 'GET /items/rules?fields=word']],
]);
