// What the token of a share reads: the item, and what is related to it, as far as its role and its creator may.

const U = (n) => `00000000-0000-4000-8000-a0000000000${n}`;
const role = { admin: '00000000-0000-4000-8000-100000000000', editor: '00000000-0000-4000-8000-100000000001', junior: '00000000-0000-4000-8000-100000000002' };
const items = { articles: '2', authors: U(1), categories: '1', remarks: '3', labels: '00000000-0000-4000-8000-b00000000001', papers: '1', block_texts: '1', home: '1', countries: 'de', block_quotes: '1' };
const collections = ['articles', 'authors', 'categories', 'remarks', 'labels', 'articles_labels', 'articles_translations', 'languages', 'articles_blocks', 'block_texts', 'block_quotes', 'papers', 'paper_notes', 'home', 'countries', 'samples', 'queue', 'about', 'untracked', 'rules', 'quiet'];
const shared = (collection, of) => [['POST /shares', { name: 'S', collection, item: items[collection], ...(of ? { role: role[of] } : {}) }, { keep: 'share' }], ['public POST /shares/auth', { share: '{share.id}' }, { keep: 'login' }]];

export default {
    ...Object.fromEntries(['admin', 'editor', 'junior', undefined].flatMap((of) => Object.keys(items).map((collection) => [
        `shares: what one of ${collection} with ${of ?? 'no'} role reaches`, [...shared(collection, of), ...collections.map((other) => [`{login.access_token} GET /items/${other}?limit=-1&fields=*`, undefined, { unordered: true }])],
    ]))),
    ...Object.fromEntries(['admin', 'editor', 'junior'].flatMap((of) => ['articles', 'authors', 'papers'].map((collection) => [
        `shares: one of ${collection} with ${of} role through relations`, [...shared(collection, of), `{login.access_token} GET /items/${collection}/${items[collection]}?fields=*.*`, `{login.access_token} GET /items/${collection}/${items[collection]}?fields=*.*.*`, '{login.access_token} GET /permissions/me'],
    ]))),
    // Who shares it bounds it, too. The editor may share what the editor reads.
    ...Object.fromEntries(['admin', 'junior', undefined].map((of) => [`shares: an editor's, with ${of ?? 'no'} role`, [
        ['sql', `insert into directus_permissions (policy, collection, action, permissions, fields) values ('00000000-0000-4000-8000-200000000001', 'directus_shares', 'create', '{}', '*'), ('00000000-0000-4000-8000-200000000001', 'directus_shares', 'read', '{}', '*'), ('00000000-0000-4000-8000-200000000001', 'articles', 'share', '{}', '*')`],
        ['editor POST /shares', { name: 'S', collection: 'articles', item: '2', ...(of ? { role: role[of] } : {}) }, { keep: 'share' }], ['public POST /shares/auth', { share: '{share.id}' }, { keep: 'login' }],
        ...collections.map((other) => [`{login.access_token} GET /items/${other}?limit=-1&fields=*`, undefined, { unordered: true }])]])),
};
