// Fields that are written by themselves, by what `special` says.

const make = (body, actor = '') => [[`${actor}POST /items/stamps`, body, { keep: 'row' }], 'GET /items/stamps/{row.id}'];
const S = '00000000-0000-4000-8000-f00000000001';
const change = (body, actor = '') => [[`${actor}PATCH /items/stamps/${S}`, body], `GET /items/stamps/${S}`];

export default {
    'make': make({ name: 'a' }),
    'make nothing': make({}),
    'make as the editor': make({ name: 'a' }, 'editor '),
    'make with a key': [['POST /items/stamps', { id: '00000000-0000-4000-8000-f00000000009', name: 'a' }]],
    'make with an empty key': make({ id: '', name: 'a' }),
    'make several': [['POST /items/stamps?fields=name,made,maker&sort=name', [{ name: 'a' }, { name: 'b' }]]],
    'change': change({ name: 'a' }),
    'change nothing': change({}),
    'change as the editor: not its row': change({ name: 'a' }, 'editor '),
    'make and change as the editor': [['editor POST /items/stamps', { name: 'a' }, { keep: 'row' }], ['editor PATCH /items/stamps/{row.id}', { name: 'b' }], ['PATCH /items/stamps/{row.id}', { name: 'c' }], 'GET /items/stamps/{row.id}?fields=*,maker.first_name,changer.first_name'],
    ...Object.fromEntries([{ made: '2020-01-01T00:00:00Z' }, { made: null }, { changed: '2020-01-01T00:00:00Z' }, { changed: null }, { maker: '00000000-0000-4000-8000-300000000001' }, { maker: null }, { changer: '00000000-0000-4000-8000-300000000001' }, { maker_role: '00000000-0000-4000-8000-100000000001' },
        { changer_role: null }, { ident: '00000000-0000-4000-8000-e00000000001' }, { ident: null }, { ident: '' }, { secret: 'x' }, { secret: '' }, { secret: null }, { masked: 'x' }, { masked: null }, { flag: true }, { flag: 'true' }, { flag: 0 }, { flag: null }, { flag: 2 }, { doc: { a: 1 } }, { doc: 'x' }, { doc: '{"a":1}' }, { doc: null },
        { doc: 5 }, { list: ['a', 'b'] }, { list: 'a,b' }, { list: [] }, { list: null }, { day_made: '2020-01-01' }, { moment_made: '2020-01-01T00:00:00' }, { clock_made: '10:00:00' }].flatMap((body) => [[`make ${JSON.stringify(body)}`, make(body)], [`change ${JSON.stringify(body)}`, change(body)]])),
    'change keys': [['PATCH /items/stamps?fields=name,changer,changed', { keys: [S, '00000000-0000-4000-8000-f00000000002'], data: { name: 'x' } }]],
    'a hash that fits': [['POST /items/stamps', { secret: 'x' }], ['POST /utils/hash/generate', { string: 'x' }, { keep: 'hash' }], ['POST /utils/hash/verify', { string: 'x', hash: '{hash}' }], ['POST /utils/hash/verify', { string: 'y', hash: '{hash}' }]],
    'filter by a masked one': [['GET /items/stamps', undefined, { query: { filter: { masked: { _eq: 'x' } } } }]],
    'filter by what it wrote': [['POST /items/stamps', { name: 'mine' }], ['GET /items/stamps', undefined, { query: { fields: ['name'], filter: { maker: { _eq: '$CURRENT_USER' } } } }], ['GET /items/stamps', undefined, { query: { fields: ['name'], filter: { made: { _gt: '$NOW(-1 hour)' } } } }]],
};
