// Every REST command of the SDK, called once at least, in an order that makes sense: [command, arguments, what comes, name to keep it by].
// Arguments are a function of what was kept. Nothing here is Spark's: the same list runs against Directus.

// What has neither JSON nor text comes as the answer itself.
const nothing = (value) => value === null || value === undefined || value === '' || value instanceof Response;
const row = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const rows = (value) => Array.isArray(value);
const some = (value) => Array.isArray(value) && value.length > 0;
const text = (value) => typeof value === 'string' && value !== '';
const truth = (value) => value === true;

/** The commands that all groups of rows have: create one and several, read, update in three forms, delete both ways. */
function group({ one, many, first, second, change, patch = change, keep, extra = {} }) {
    const id = (k) => k[keep].id;
    // Directus adds the rules of every user of the app to permissions, which have no key.
    const ids = (k) => k[`${keep}s`].map((item) => item.id).filter(Boolean);
    const list = extra.list ?? many;
    return [
        [`create${one}`, (k) => [first(k)], row, keep],
        [`create${many}`, (k) => [[second(k), second(k, 2)]], some, `${keep}s`],
        [`read${list}`, () => [{ limit: 5 }], some],
        [`read${one}`, (k) => [id(k), { fields: ['id'] }], row],
        [`update${one}`, (k) => [id(k), change], row],
        [`update${many}`, (k) => [ids(k), patch], rows],
        [`update${many}Batch`, (k) => [ids(k).map((key) => ({ id: key, ...patch }))], rows],
        [`delete${one}`, (k) => [id(k)], nothing],
        [`delete${many}`, (k) => [ids(k)], nothing],
    ].filter(([name]) => !(extra.without ?? []).includes(name));
}

const books = { collection: 'sdk_books', schema: {}, meta: { versioning: true, sort_field: 'sort' }, fields: [{ field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true }, meta: {} }, { field: 'title', type: 'string', schema: {}, meta: {} }, { field: 'sort', type: 'integer', schema: {}, meta: {} }] };
const single = { collection: 'sdk_single', schema: {}, meta: { singleton: true }, fields: [{ field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true }, meta: {} }, { field: 'name', type: 'string', schema: {}, meta: {} }] };

export const commands = [
    ['serverPing', () => [], (value) => value === 'pong'],
    ['serverHealth', () => [], row],
    ['serverInfo', () => [], row],
    ['readOpenApiSpec', () => [], row],
    ['readProviders', () => [], rows],
    ['readMe', () => [{ fields: ['id', 'email'] }], row, 'me'],
    ['readRolesMe', () => [], rows],
    ['readPolicyGlobals', () => [], row],
    ['readUserPermissions', () => [], row],
    ['createCollection', () => [books], row],
    ['createCollection', () => [single], row],
    ['readCollections', () => [], some],
    ['readCollection', () => ['sdk_books'], row],
    ['updateCollection', () => ['sdk_books', { meta: { note: 'n' } }], row],
    ['updateCollectionsBatch', () => [[{ collection: 'sdk_books', meta: { note: 'm' } }]], rows],
    ['createField', () => ['sdk_books', { field: 'author', type: 'uuid', schema: {}, meta: {} }], row],
    ['readFields', () => [], some],
    ['readFieldsByCollection', () => ['sdk_books'], some],
    ['readField', () => ['sdk_books', 'title'], row],
    ['updateField', () => ['sdk_books', 'title', { meta: { note: 'n' } }], row],
    ['updateFields', () => ['sdk_books', [{ field: 'title', meta: { width: 'half' } }]], rows],
    ['createRelation', () => [{ collection: 'sdk_books', field: 'author', related_collection: 'directus_users', meta: {}, schema: { on_delete: 'SET NULL' } }], row],
    ['readRelations', () => [], some],
    ['readRelationByCollection', () => ['sdk_books'], some],
    ['readRelation', () => ['sdk_books', 'author'], row],
    // updateRelation ends the process of Directus 11.17.4.
    ['updateRelation', () => ['sdk_books', 'author', { collection: 'sdk_books', field: 'author', related_collection: 'directus_users', meta: { one_deselect_action: 'delete' } }], row],
    ['schemaSnapshot', () => [], row, 'snapshot'],
    ['createItem', () => ['sdk_books', { title: 'a', sort: 1 }], row, 'book'],
    ['createItems', () => ['sdk_books', [{ title: 'b', sort: 2 }, { title: 'c', sort: 3 }]], some, 'books'],
    ['readItems', () => ['sdk_books', { fields: ['id', 'title', { author: ['email'] }], filter: { title: { _eq: 'a' } } }], some],
    ['readItem', (k) => ['sdk_books', k.book.id], row],
    ['aggregate', () => ['sdk_books', { aggregate: { count: '*' } }], some],
    ['updateItem', (k) => ['sdk_books', k.book.id, { title: 'A' }], row],
    ['updateItems', (k) => ['sdk_books', k.books.map((book) => book.id), { title: 'B' }], some],
    ['updateItemsBatch', (k) => ['sdk_books', k.books.map((book) => ({ id: book.id, title: 'C' }))], some],
    ['updateSingleton', () => ['sdk_single', { name: 'x' }], row],
    ['readSingleton', () => ['sdk_single'], row],
    ['readItemPermissions', (k) => ['sdk_books', k.book.id], row],
    ['utilitySort', (k) => ['sdk_books', k.book.id, k.books[0].id], nothing],
    ['createContentVersion', (k) => [{ key: 'draft', name: 'Draft', collection: 'sdk_books', item: String(k.book.id) }], row, 'version'],
    ['createContentVersions', (k) => [k.books.map((book, i) => ({ key: `v${i}`, collection: 'sdk_books', item: String(book.id) }))], some, 'versions'],
    ['readContentVersions', () => [{}], some],
    ['readContentVersion', (k) => [k.version.id], row],
    ['updateContentVersion', (k) => [k.version.id, { name: 'D' }], row],
    ['updateContentVersions', (k) => [k.versions.map((version) => version.id), { name: 'E' }], rows],
    ['updateContentVersionsBatch', (k) => [k.versions.map((version) => ({ id: version.id, name: 'F' }))], rows],
    ['saveToContentVersion', (k) => [k.version.id, { title: 'draft' }], row],
    ['compareContentVersion', (k) => [k.version.id], row, 'compare'],
    ['promoteContentVersion', (k) => [k.version.id, k.compare.mainHash], (value) => value !== undefined],
    ['deleteContentVersion', (k) => [k.version.id], nothing],
    ['deleteContentVersions', (k) => [k.versions.map((version) => version.id)], nothing],
    ['readActivities', () => [{ limit: 3 }], some, 'activities'],
    ['readActivity', (k) => [k.activities[0].id], row],
    ['readRevisions', () => [{ limit: 3 }], some, 'revisions'],
    ['readRevision', (k) => [k.revisions[0].id], row],
    ...group({ one: 'Share', many: 'Shares', keep: 'shareRow', first: (k) => ({ name: 'a', collection: 'sdk_books', item: String(k.book.id) }), second: (k, n = 1) => ({ name: `b${n}`, collection: 'sdk_books', item: String(k.book.id) }), change: { name: 'c' } }),
    ['createShare', (k) => [{ name: 'open', collection: 'sdk_books', item: String(k.book.id), password: 'secret' }], row, 'share'],
    ['readShareInfo', (k) => [k.share.id], row],
    ['authenticateShare', (k) => [k.share.id, 'secret'], row],
    ...group({ one: 'Comment', many: 'Comments', keep: 'comment', first: (k) => ({ collection: 'sdk_books', item: String(k.book.id), comment: 'a' }), second: (k) => ({ collection: 'sdk_books', item: String(k.book.id), comment: 'b' }), change: { comment: 'c' } }),
    ...group({ one: 'Folder', many: 'Folders', keep: 'folder', first: () => ({ name: 'a' }), second: (k, n = 1) => ({ name: `b${n}` }), change: { name: 'c' } }),
    ...group({ one: 'Preset', many: 'Presets', keep: 'preset', first: () => ({ collection: 'sdk_books' }), second: () => ({ collection: 'sdk_books' }), change: { layout: 'cards' } }),
    ...group({ one: 'Notification', many: 'Notifications', keep: 'notification', first: (k) => ({ recipient: k.me.id, subject: 'a' }), second: (k) => ({ recipient: k.me.id, subject: 'b' }), change: { status: 'archived' } }),
    ...group({ one: 'Translation', many: 'Translations', keep: 'translation', first: () => ({ key: 'a', language: 'en-US', value: 'a' }), second: (k, n = 1) => ({ key: `b${n}`, language: 'en-US', value: 'b' }), change: { value: 'c' } }),
    ['createDashboard', () => [{ name: 'for panels' }], row, 'board'],
    ...group({ one: 'Panel', many: 'Panels', keep: 'panel', first: (k) => ({ dashboard: k.board.id, type: 'label', position_x: 1, position_y: 1, width: 2, height: 2 }), second: (k) => ({ dashboard: k.board.id, type: 'list', position_x: 3, position_y: 1, width: 2, height: 2 }), change: { name: 'c' } }),
    ...group({ one: 'Dashboard', many: 'Dashboards', keep: 'dashboard', first: () => ({ name: 'a' }), second: (k, n = 1) => ({ name: `b${n}` }), change: { note: 'c' } }),
    ...group({ one: 'Role', many: 'Roles', keep: 'role', first: () => ({ name: 'a' }), second: (k, n = 1) => ({ name: `b${n}` }), change: { description: 'c' } }),
    ...group({ one: 'Policy', many: 'Policies', keep: 'policy', first: () => ({ name: 'a' }), second: (k, n = 1) => ({ name: `b${n}` }), change: { description: 'c' } }),
    ['createPolicy', () => [{ name: 'for permissions' }], row, 'rules'],
    ...group({ one: 'Permission', many: 'Permissions', keep: 'permission', first: (k) => ({ policy: k.rules.id, collection: 'sdk_books', action: 'read', fields: ['*'] }), second: (k, n = 1) => ({ policy: k.rules.id, collection: n > 1 ? 'sdk_books' : 'sdk_single', action: 'create', fields: ['*'] }), change: { fields: ['id'] } }),
    ...group({ one: 'User', many: 'Users', keep: 'user', first: () => ({ email: 'sdk-a@example.com' }), second: (k, n = 1) => ({ email: `sdk-b${n}@example.com` }), change: { title: 'c' } }),
    ['updateMe', () => [{ title: 't' }], row],
    ['readSettings', () => [], row],
    ['updateSettings', () => [{ project_descriptor: 'd' }], row],
    ['readExtensions', () => [], rows],
    ['randomString', () => [16], text],
    ['generateHash', () => ['x'], text, 'hash'],
    ['verifyHash', (k) => ['x', k.hash], truth],
    ['clearCache', () => [], nothing],
    ['createField', () => ['sdk_books', { field: 'extra', type: 'string', schema: {}, meta: {} }], row],
    ['schemaDiff', (k) => [k.snapshot], row, 'diff'],
    ['schemaApply', (k) => [k.diff], nothing],
    ['deleteItem', (k) => ['sdk_books', k.book.id], nothing],
    ['deleteItems', (k) => ['sdk_books', k.books.map((book) => book.id)], nothing],
    ['deleteRelation', () => ['sdk_books', 'author'], nothing],
    ['deleteField', () => ['sdk_books', 'author'], nothing],
    ['deleteCollection', () => ['sdk_books'], nothing],
    ['deleteCollection', () => ['sdk_single'], nothing],
    ['login', () => [{ email: 'admin@example.com', password: 'password-of-the-tests' }, { mode: 'json' }], row, 'session'],
    ['refresh', (k) => [{ mode: 'json', refresh_token: k.session.refresh_token }], row, 'session'],
    ['logout', (k) => [{ mode: 'json', refresh_token: k.session.refresh_token }], nothing],
    ['withToken', (k, sdk) => [k.token, sdk.readMe({ fields: ['id'] })], row],
    ['withOptions', (k, sdk) => [sdk.serverPing(), { headers: { 'x-a': 'b' } }], text],
    ['withSearch', (k, sdk) => [sdk.readCollections()], rows],
    ['customEndpoint', () => [{ path: '/server/ping', method: 'GET' }], text],
];

/** Commands of routes that come with other parts, and exports that send no request. */
export const elsewhere = new Set([
    ...['deleteFile', 'deleteFiles', 'importFile', 'readFile', 'readFiles', 'updateFile', 'updateFiles', 'updateFilesBatch', 'uploadFiles', 'readAssetArrayBuffer', 'readAssetBlob', 'readAssetRaw', 'downloadFilesZip', 'downloadFolderZip'], // files and assets
    ...['utilsExport', 'utilsImport', 'utilsImportBatch'], // write to files, read from files
    ...['createFlow', 'createFlows', 'readFlow', 'readFlows', 'updateFlow', 'updateFlows', 'updateFlowsBatch', 'deleteFlow', 'deleteFlows', 'triggerFlow', 'createOperation', 'createOperations', 'readOperation', 'readOperations', 'updateOperation', 'updateOperations', 'updateOperationsBatch', 'deleteOperation', 'deleteOperations'], // flows
    ...['graphql', 'readGraphqlSdl', 'realtime', 'messageCallback', 'pong', 'auth'], // GraphQL and WebSocket
    ...['acceptUserInvite', 'inviteUser', 'inviteShare', 'registerUser', 'registerUserVerify', 'passwordRequest', 'passwordReset', 'disableTwoFactor', 'enableTwoFactor', 'generateTwoFactorSecret'], // e-mail and second factors
    ...['cancelDeployment', 'createDeployment', 'deleteDeployment', 'readDeployment', 'readDeploymentDashboard', 'readDeploymentProject', 'readDeploymentProjects', 'readDeploymentRun', 'readDeploymentRunStats', 'readDeploymentRuns', 'readDeployments', 'triggerDeployment', 'updateDeployment', 'updateDeploymentProjects'], // deployments
    ...['updateExtension', 'deleteExtension', 'installRegistryExtension', 'readRegistryAccount', 'readRegistryExtension', 'readRegistryExtensions', 'reinstallRegistryExtension', 'uninstallRegistryExtension'], // Directus' own extensions
    ...['authentication', 'createDirectus', 'formatFields', 'generateUid', 'getAuthEndpoint', 'isDirectusError', 'memoryStorage', 'queryToParams', 'rest', 'sleep', 'staticToken', 'throwIfCoreCollection', 'throwIfEmpty'], // send nothing themselves
]);

/** The SDKs that are held to it. SPARK_SDK_26 names the newer one where node_modules does not have it. */
export const versions = {
    '21.3.0': () => import('@directus/sdk'),
    26: () => import(process.env.SPARK_SDK_26 ?? '@directus/sdk-26'),
};

/** Calls all of them that this SDK has. → { worked, failed }: names, and for those that failed why. */
export async function callAll(sdk, url, token, { without = [] } = {}) {
    const client = sdk.createDirectus(url).with(sdk.staticToken(token)).with(sdk.rest());
    const kept = { token };
    const worked = new Set();
    const failed = new Map();
    for (const [name, args, fits, keep] of commands) {
        if (!(name in sdk) || without.includes(name)) continue;
        try {
            const value = await client.request(sdk[name](...args(kept, sdk)));
            if (!fits(value)) throw new Error(`${JSON.stringify(value)?.slice(0, 200)} does not fit`);
            if (keep) kept[keep] = value;
            worked.add(name);
        } catch (error) {
            failed.set(name, error.errors?.[0]?.message ?? error.message);
        }
    }
    for (const name of failed.keys()) worked.delete(name);
    return { worked, failed };
}
