// What each type takes, and how it comes back.

const values = {
    name: ['x', '', 1, 1.5, true, null, {}, { a: 1 }, [1], 'x'.repeat(255), 'x'.repeat(256), '2024-01-01', ' pad '],
    long: ['x', '', 1, true, null, { a: [1] }, ['a', 'b'], 'x'.repeat(3000)],
    yes: [true, false, null, 'true', 'false', 't', 'yes', 'on', 1, 0, '1', '0', 2, '', 'x', {}, []],
    number: [0, 1, -1, '7', ' 7 ', 1.5, '1.5', 2147483647, 2147483648, -2147483648, null, '', 'x', true, {}, [], [1], 1e3, '1e3'],
    huge: [0, '9223372036854775807', '9223372036854775808', 9007199254740993, '-1', null, 1.5, 'x', '', true, '007'],
    ratio: [0.1, '0.1', 1, -0, 1e30, 1e39, null, 'x', '', 'NaN', 'Infinity', true, 0.14285714285714285, 123456789],
    wide: [0.1, 1e308, '1e309', 5e-324, null, 'NaN', 'x', 123456789.123],
    money: [1.5, '1.5', '1.5555', 1.0005, 999999999.999, 9999999999, -1, null, 'x', '', 'NaN', 1e-7, '1e2'],
    day: ['2024-02-29', '2023-02-29', '2024-01-01T23:00:00', '2024-01-01T23:00:00Z', '2024-01-01T23:00:00+05:00', '2024', '2024-01', '20240101', 'x', '', null, 1, 0, true, '0000-00-00', {}, [], '01.02.2024', '10000-01-01', '2024-W05-1', '-0001-01-01'],
    moment: ['2024-01-01T10:11:12', '2024-01-01T10:11:12.345', '2024-01-01T10:11:12Z', '2024-01-01T10:11:12+05:00', '2024-01-01 10:11:12', '2024-01-01', '2024-01-01T10', '2024-01-01T25:00:00', 'x', '', null, 1, '0000-00-00 00:00:00'],
    clock: ['10:11:12', '10:11', '10', '10:11:12.5', '24:00:00', '25:00:00', 'x', '', null, 1, '10:11:12Z', '2024-01-01T10:11:12', '10:11:12+02:00'],
    instant: ['2024-01-01T10:11:12Z', '2024-01-01T10:11:12.345Z', '2024-01-01T10:11:12.345678Z', '2024-01-01T10:11:12+05:00', '2024-01-01T10:11:12', '2024-01-01 10:11:12', '2024-01-01', 'x', '', null, 1, 1704067200000, true, '2024-01-01T24:00:00Z', '1900-01-01T00:00:00Z', '12024-01-01T00:00:00Z', 'Mon, 01 Jan 2024 10:00:00 GMT'],
    data: [{ a: 1 }, [], {}, [1, 'x', null, { b: [] }], 'text', '"quoted"', '{"a":1}', '{"a":', 1, 1.5, true, false, null, '', { 'ü✓': '\u0001' }, 12345678901234567890, { z: 1, a: 2 }],
    list: [['a', 'b'], [], '', 'a,b', 'a', ['a,b', 'c'], [1, true, null], null, 1, {}, [' a ', ''], true],
    ident: ['00000000-0000-4000-8000-e00000000009', '00000000-0000-4000-8000-E00000000009'.toUpperCase(), '{00000000-0000-4000-8000-e00000000009}', '000000000000400080000000e00000009', 'x', '', null, 1, {}],
    secret: ['plain', '', null, 1, true, {}, '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$MTIz', '**********'],
    masked: ['plain', '', null, 1, '**********'],
};

const title = (value) => (JSON.stringify(value) ?? '').slice(0, 40) + (JSON.stringify(value)?.length > 40 ? `… ${JSON.stringify(value).length}` : '');

export default Object.fromEntries(Object.entries(values).flatMap(([field, list]) => list.flatMap((value) => [
    [`make ${field} ${title(value)}`, [[`POST /items/samples?fields=${field}`, { [field]: value }, { keep: 'row' }], `GET /items/samples?fields=${field}&sort=-id&limit=1`]],
    ...(list.indexOf(value) < 4 ? [[`change ${field} to ${title(value)}`, [[`PATCH /items/samples/1?fields=${field}`, { [field]: value }], `GET /items/samples/1?fields=${field}`]]] : []),
])));
