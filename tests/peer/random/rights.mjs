// Random permissions for one user in up to three policies; then what the user reads and writes.

const U = '00000000-0000-4000-8000-300000000005'; // has no policy in the model
const P = (n) => `00000000-0000-4000-8000-2000000001${String(n).padStart(2, '0')}`;
const fields = {
    articles: ['id', 'title', 'slug', 'status', 'views', 'body', 'price', 'author', 'category', 'remarks', 'labels', 'featured'],
    authors: ['id', 'name', 'email', 'bio', 'rating', 'articles', 'country'],
    remarks: ['id', 'text', 'stars', 'article', 'author'],
    categories: ['id', 'name', 'sort', 'parent'],
    labels: ['id', 'name', 'color', 'weight'],
    articles_labels: ['id', 'articles_id', 'labels_id', 'note'],
};
const rules = {
    articles: [null, {}, { status: { _eq: 'draft' } }, { views: { _gt: 20 } }, { featured: { _eq: true } }, { author: { name: { _in: ['Author 2', 'Author 3'] } } }, { remarks: { stars: { _gte: 3 } } }, { _or: [{ status: { _eq: 'archived' } }, { id: { _lt: 6 } }] }, { labels: { _some: { labels_id: { color: { _eq: 'red' } } } } }],
    authors: [null, {}, { active: { _eq: true } }, { country: { code: { _eq: 'fr' } } }, { name: { _neq: 'Author 4' } }],
    remarks: [null, {}, { stars: { _gt: 2 } }, { author: { _nnull: true } }, { article: { status: { _eq: 'published' } } }],
    categories: [null, {}, { sort: { _lt: 4 } }],
    labels: [null, {}, { color: { _neq: 'blue' } }],
    articles_labels: [null, {}],
};

const json = (value) => (value === null ? 'null' : `'${JSON.stringify(value)}'`);

/** By statements, in one transaction, so that both servers know of them at once. */
function rights(chance) {
    const rows = [];
    const count = 1 + chance.below(3);
    for (let policy = 0; policy < count; policy++)
        for (const collection of Object.keys(fields)) {
            for (const action of ['read', 'read', 'create', 'update', 'delete'].filter(() => chance.chance(0.45))) {
                const list = chance.chance(0.25) ? '*' : fields[collection].filter((field) => field === 'id' || chance.chance(0.55)).join(',');
                const presets = action === 'create' && collection === 'articles' && chance.chance(0.5) ? { views: policy } : null;
                const validation = ['create', 'update'].includes(action) && collection === 'articles' && chance.chance(0.3) ? { views: { _lt: 90 } } : null;
                rows.push(`('${P(policy)}', '${collection}', '${action}', ${json(chance.pick(rules[collection]))}, ${json(validation)}, ${json(presets)}, '${list}')`);
            }
        }
    const policies = Array.from({ length: count }, (_, n) => `insert into directus_policies (id, name, icon, app_access, admin_access) values ('${P(n)}', 'P${n}', 'x', false, false);
        insert into directus_access (id, "user", policy, sort) values ('${P(n + 50)}', '${U}', '${P(n)}', ${n + 1});`).join('\n');
    return `${policies}\n${rows.length > 0 ? `insert into directus_permissions (policy, collection, action, permissions, validation, presets, fields) values ${rows.join(',\n')};` : ''}`;
}

const reads = ['/items/articles?sort=id', '/items/articles?fields=id,title,status&sort=id', '/items/articles?fields=*.*&sort=id&limit=5', '/items/articles?fields=id,author.name,remarks.text&sort=id&limit=8', '/items/articles?fields=id,labels.labels_id.name&limit=6&sort=id', '/items/articles/1', '/items/articles/2?fields=id,views', '/items/articles?filter={"status":{"_eq":"draft"}}&fields=id&sort=id',
    '/items/articles?filter={"author":{"name":{"_nnull":true}}}&fields=id&sort=id', '/items/articles?sort=-views,id&fields=id', '/items/articles?search=maps&fields=id&sort=id', '/items/articles?aggregate[count]=*', '/items/articles?aggregate[sum]=views&groupBy=status&sort=status', '/items/articles?meta=*&limit=1&fields=id&sort=id', '/items/authors?fields=id,name,articles.title&sort=id', '/items/authors?fields=*&sort=id',
    '/items/remarks?fields=*,article.title&sort=id&limit=9', '/items/remarks?filter={"article":{"status":"draft"}}&fields=id&sort=id', '/items/labels?fields=*.*&sort=id', '/items/categories?fields=name,parent.name', '/permissions/me', '/permissions/me/articles/1', '/permissions/me/authors'];
const writes = [['POST /items/articles', { title: 'x' }], ['POST /items/articles', { title: 'x', views: 95 }], ['POST /items/articles', { title: 'x', author: { name: 'N' } }], ['POST /items/articles', { title: 'x', remarks: [{ text: 'r' }] }], ['PATCH /items/articles/1', { title: 'y' }], ['PATCH /items/articles/2', { title: 'y', views: 3 }], ['PATCH /items/articles/3', { remarks: [{ text: 'r' }] }], ['PATCH /items/articles', { keys: [1, 2, 3], data: { title: 'z' } }],
    ['DELETE /items/articles/1'], ['DELETE /items/remarks', [1, 2]], ['PATCH /items/authors/00000000-0000-4000-8000-a00000000002', { name: 'x' }], ['POST /items/labels', { name: 'new' }]];

export function make(chance) {
    const who = `token-of-none-0123456789`;
    const picked = Array.from({ length: 5 }, () => chance.pick(reads));
    const written = Array.from({ length: 2 }, () => chance.pick(writes));
    return [['sql', rights(chance)], ...picked.map((path) => `${who} GET ${path}`), ...written.map(([line, ...body]) => [`${who} ${line}`, ...body]), 'GET /items/articles?fields=id,title,views&sort=-id&limit=5', 'GET /items/remarks?aggregate[count]=*'];
}
