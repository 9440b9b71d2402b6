// Queries over the model: fields, filters, sort, deep and aggregates that fit, and now and then one that does not.

const scalars = {
    articles: { id: 'number', status: 'text', title: 'text', slug: 'text', body: 'text', views: 'number', reach: 'number', price: 'number', score: 'number', featured: 'truth', published_at: 'time', starts: 'time', day: 'time', sort: 'number' },
    authors: { id: 'key', name: 'text', email: 'text', bio: 'text', born: 'time', rating: 'number', active: 'truth' },
    categories: { id: 'number', name: 'text', sort: 'number' },
    labels: { id: 'key', name: 'text', color: 'text', weight: 'number' },
    remarks: { id: 'number', text: 'text', stars: 'number', sort: 'number' },
    articles_labels: { id: 'number', note: 'text', sort: 'number' },
    articles_translations: { id: 'number', title: 'text', summary: 'text' },
    countries: { code: 'text', name: 'text', area: 'number' },
    languages: { code: 'text', name: 'text' },
};
const one = { articles: { author: 'authors', category: 'categories' }, authors: { country: 'countries', boss: 'authors' }, categories: { parent: 'categories' }, remarks: { article: 'articles', author: 'authors' },
    articles_labels: { articles_id: 'articles', labels_id: 'labels' }, articles_translations: { articles_id: 'articles', languages_code: 'languages' } };
const many = { articles: { remarks: 'remarks', labels: 'articles_labels', translations: 'articles_translations' }, authors: { articles: 'articles', staff: 'authors' }, categories: { children: 'categories' }, labels: { articles: 'articles_labels' }, countries: { authors: 'authors' } };
const key = { countries: 'code', languages: 'code' };

const values = {
    number: (chance) => chance.pick([0, 1, 2, 3, 5, 7, 10, 13, 20, 26, 1.25, -1, '4']),
    text: (chance) => chance.pick(['draft', 'published', 'maps', 'Article 1', 'article-3', 'a', 'red', 'label-2', 'Author 3', 'de', 'Remark 7', 'Category 2', '%', 'Text of 2', '1']),
    truth: (chance) => chance.pick([true, false, 'true']),
    time: (chance) => chance.pick(['2023-06-01', '2024-03-01', '2024-02-29', '1972-01-01', '$NOW', '$NOW(-2 years)', '2023-04-15T04:15:00.500Z']),
    key: (chance) => `00000000-0000-4000-8000-${chance.pick(['a', 'b'])}0000000000${chance.below(6) + 1}`,
};
const operators = {
    number: ['_eq', '_neq', '_lt', '_lte', '_gt', '_gte', '_in', '_nin', '_between', '_nbetween', '_null', '_nnull'],
    text: ['_eq', '_neq', '_in', '_nin', '_contains', '_ncontains', '_icontains', '_starts_with', '_nstarts_with', '_istarts_with', '_ends_with', '_nends_with', '_iends_with', '_empty', '_nempty', '_null', '_nnull'],
    truth: ['_eq', '_neq', '_null', '_nnull'],
    time: ['_eq', '_neq', '_lt', '_lte', '_gt', '_gte', '_between', '_null', '_nnull'],
    key: ['_eq', '_neq', '_in', '_nin', '_null', '_nnull'],
};

function condition(chance, type) {
    const operator = chance.pick(operators[type]);
    const value = () => values[type](chance);
    if (/_n?null|_n?empty/.test(operator)) return { [operator]: chance.chance(0.8) };
    if (/between/.test(operator)) return { [operator]: [value(), value()] };
    if (/_n?in$/.test(operator)) return { [operator]: Array.from({ length: 1 + chance.below(3) }, value) };
    return { [operator]: value() };
}

function filter(chance, collection, depth, top = true) {
    if (depth > 0 && chance.chance(0.35)) return { [chance.pick(['_and', '_or'])]: Array.from({ length: 1 + chance.below(3) }, () => filter(chance, collection, depth - 1, top)) };
    const ones = Object.entries(one[collection] ?? {});
    if (depth > 0 && ones.length > 0 && chance.chance(0.35)) {
        const [field, to] = chance.pick(ones);
        return { [field]: filter(chance, to, depth - 1, false) };
    }
    const lists = Object.entries(many[collection] ?? {});
    if (depth > 0 && lists.length > 0 && chance.chance(0.3)) {
        const [field, to] = chance.pick(lists);
        const inner = filter(chance, to, depth - 1, false);
        return { [field]: top && chance.chance(0.5) ? { [chance.pick(['_some', '_none'])]: inner } : inner };
    }
    const [field, type] = chance.pick(Object.entries(scalars[collection]));
    return { [field]: condition(chance, type) };
}

function fields(chance, collection, depth) {
    const list = [chance.chance(0.2) ? '*' : (key[collection] ?? 'id')];
    for (const name of Object.keys(scalars[collection])) if (chance.chance(0.3)) list.push(name);
    for (const [name, to] of Object.entries({ ...one[collection], ...many[collection] })) {
        if (depth > 0 && chance.chance(0.4)) list.push(...fields(chance, to, depth - 1).map((field) => `${name}.${field}`));
        else if (chance.chance(0.15)) list.push(name);
    }
    return chance.chance(0.02) ? [...list, 'nope'] : list;
}

function sort(chance, collection) {
    const list = [];
    for (let i = 0; i < chance.below(3); i++) {
        const ones = Object.entries(one[collection] ?? {});
        const [field, to] = ones.length > 0 && chance.chance(0.3) ? chance.pick(ones) : [];
        list.push(`${chance.pick(['', '-'])}${field ? `${field}.${chance.pick(Object.keys(scalars[to]))}` : chance.pick(Object.keys(scalars[collection]))}`);
    }
    return [...list, key[collection] ?? 'id'];
}

const aggregates = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'];

function summary(chance, collection) {
    const numbers = Object.keys(scalars[collection]).filter((name) => scalars[collection][name] === 'number');
    const groups = Object.keys(scalars[collection]).filter((name) => ['text', 'truth'].includes(scalars[collection][name]));
    const aggregate = Object.fromEntries(Array.from({ length: 1 + chance.below(2) }, () => [chance.pick(aggregates), [chance.pick(numbers)]]));
    const groupBy = chance.chance(0.6) ? [chance.pick(groups)] : undefined;
    return { aggregate, ...(groupBy ? { groupBy, sort: groupBy } : {}), ...(chance.chance(0.6) ? { filter: filter(chance, collection, 1) } : {}) };
}

export function make(chance) {
    const collection = chance.pick(['articles', 'articles', 'articles', 'authors', 'authors', 'labels', 'remarks', 'categories', 'countries', 'articles_labels']);
    if (chance.chance(0.2)) return [[`GET /items/${collection}`, undefined, { query: summary(chance, collection) }]];
    const query = { fields: fields(chance, collection, 2), sort: sort(chance, collection), limit: chance.pick([-1, 1, 3, 5, 10]) };
    if (chance.chance(0.75)) query.filter = filter(chance, collection, 3);
    if (chance.chance(0.2)) query.offset = chance.below(4);
    else if (chance.chance(0.2)) query.page = chance.below(3);
    if (chance.chance(0.1)) query.search = values.text(chance);
    if (chance.chance(0.3)) query.meta = '*';
    const lists = Object.entries(many[collection] ?? {}).filter(([name]) => query.fields.some((field) => field.startsWith(name)));
    if (lists.length > 0 && chance.chance(0.6)) {
        const [name, to] = chance.pick(lists);
        query.deep = { [name]: { _sort: sort(chance, to), _limit: chance.pick([-1, 1, 2, 3]), ...(chance.chance(0.5) ? { _filter: filter(chance, to, 1) } : {}) } };
    }
    if (chance.chance(0.2)) return [[`SEARCH /items/${collection}${query.meta ? '?meta=*' : ''}`, { query: { ...query, meta: undefined } }]];
    const actor = chance.pick(['', '', '', 'editor ', 'junior ', 'public ']);
    return [[`${actor}GET /items/${collection}`, undefined, { query }]];
}
