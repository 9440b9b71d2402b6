// Where Spark means to answer otherwise than Directus 11.17.4. Each rule says why; there are no others.
// `ends`: one of the two has written and the other has not, so that what follows in the sequence is not compared.

const isServerError = (answer) => answer.status >= 500;
const reasonOf = (answer) => answer.body?.errors?.[0]?.extensions?.reason ?? '';
const outOfBounds = new Set(['VALUE_TOO_LONG', 'VALUE_OUT_OF_RANGE']);
const isRefusal = (answer) => answer.status === 400 || answer.status === 403;
/** The request as text: its path, query and body. */
const asked = ({ path, query, body }) => `${path} ${JSON.stringify(query ?? {})} ${JSON.stringify(body ?? null)}`;
/** Filters or sorts by fields of other collections. */
const looksElsewhere = (query) => /"(parent|children|author|category|articles|labels|remarks|translations|country|boss|staff|articles_id|labels_id|authors)":/.test(JSON.stringify(query?.filter ?? {})) || (query?.sort ?? []).some((path) => path.includes('.'));
const isForbidden = (answer) => answer.status === 403;
const rowsOf = (answer) => (answer.status === 200 && Array.isArray(answer.body?.data) ? answer.body.data : undefined);
const asText = (row) => JSON.stringify(row);

/** The same rows, or fewer of them; in another order perhaps, also below. */
const isPartOf = (rows, all) => {
    const sorted = (value) => (Array.isArray(value) ? value.map(sorted).sort((a, b) => (asText(a) < asText(b) ? -1 : 1)) : value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)])) : value);
    const known = new Set(all.map((row) => asText(sorted(row))));
    return rows.length <= all.length && rows.every((row) => known.has(asText(sorted(row))));
};
// What the rules of model.sql grant of some rows only, or of some related rows; the last is who gets generated rights.
const masked = { editor: /remarks/, junior: /body|price|meta|remarks/, 'token-of-none-0123456789': /./ };
const asksMasked = ({ actor, method, path }) => method === 'GET' && /[?&](filter|sort|search|aggregate)\b/.test(path) && (masked[actor]?.test(path) ?? false);
const withoutRelations = (rows) => asText(rows.map(({ author, category, article, remarks, ...rest }) => rest));
const withoutFigures = (rows) => asText(rows).replace(/:("-?[\d.]+"|null)/g, ':');
// Symbols are numbered by first occurrence, which another order changes. `staff`: see 'revisions hold columns'.
const withoutNumbers = (rows) => rows.map((row) => asText(row).replace(/<(\w+) \d+>/g, '<$1>').replace(/,"staff":\[[^\]]*\]/, ''));

export const accepted = [
    {
        name: 'a clean refusal in place of an error of the database',
        // A value of the wrong type reaches PostgreSQL in Directus and comes back as 500 with the statement in it.
        holds: ({ directus, spark }) => isServerError(directus) && spark.status >= 400 && spark.status < 500,
    },
    {
        name: 'a read that Directus cannot do',
        // The statement of Directus fails where that of Spark has an answer, such as a number with a fraction compared to an integer.
        holds: ({ step, directus, spark }) => ['GET', 'SEARCH'].includes(step.method) && isServerError(directus) && spark.status === 200,
    },
    {
        name: 'what is wrong with a body that is no JSON, in other words',
        // Directus says what V8 says. Spark says where: line and column.
        holds: ({ directus, spark, codes }) => codes.every((code) => code === 'INVALID_PAYLOAD') && /JSON/.test(reasonOf(directus)) && /JSON|The body must be/.test(reasonOf(spark)),
    },
    {
        name: 'what is wrong with a file that is no JSON, in other words',
        holds: ({ directus, spark, codes }) => codes.every((code) => code === 'INVALID_PAYLOAD') && /^Parser has expected|^Parser cannot parse/.test(reasonOf(directus)) && /^Parser cannot parse/.test(reasonOf(spark)),
    },
    {
        name: 'a sentence has one full stop',
        holds: ({ directus, spark }) => reasonOf(directus) !== '' && reasonOf(directus) === reasonOf(spark) && directus.body.errors[0].message === `${spark.body.errors[0].message}.`,
    },
    {
        name: 'a key twice in one object is refused',
        // Directus takes the last; what reads the body before it may take the first, and decide on that.
        holds: ({ directus, spark }) => directus.status === 200 && /a key appears twice/.test(reasonOf(spark)),
    },
    {
        name: 'the field that is too long or out of range is the one that is',
        // Directus takes field and value from the first column of the statement's text.
        holds: ({ codes, directus, spark }) => codes[0] === codes[1] && outOfBounds.has(codes[0]) && directus.status === spark.status,
    },
    // What docs/queries.md says of filters, sorting, limits and aggregates.
    {
        name: 'a condition that Directus leaves out is refused',
        // _some of a text, a field below a number: no condition there, so that every row matches; or the key that the route names.
        holds: ({ step, directus, spark }) => directus.status === 200 && isRefusal(spark) &&
            (/can only be used with top level relational alias field/.test(reasonOf(spark)) || /"filter":\{"id":\{"id":|^\/items\/\w+\/\d+\?.*filter=\{"id":/.test(asked(step))),
    },
    {
        name: 'a filter that Directus does not know where it is',
        // _some and _none below another relation; the reference of a to-any relation, without its collection.
        holds: ({ directus, spark }) => spark.status === 200 && /can only be used with top level relational alias field|You have to provide a collection scope/.test(reasonOf(directus)),
    },
    {
        name: 'a backslash in a pattern is a backslash',
        // PostgreSQL takes it for an escape, Directus does not tell it otherwise.
        holds: ({ step, directus, spark }) => directus.status === 200 && spark.status === 200 && /_(contains|starts_with|ends_with)":"[^"]*\\/.test(asked(step)),
    },
    {
        name: 'a limit has a maximum, and one in deep is checked',
        holds: ({ step, directus, spark }) => directus.status === 200 &&
            (/"limit" must be less than or equal to 10000/.test(reasonOf(spark)) || (/deep\[\w+\]\[_limit\]/.test(step.path) && /^"limit" must be/.test(reasonOf(spark)))),
    },
    {
        name: 'a row counts once, however many rows of a relation match',
        holds: ({ step, directus, spark }) => directus.status === 200 && spark.status === 200 && /"?aggregate\W.*"?filter\W.*"(remarks|labels|translations|blocks|articles|authors|staff|children)":/.test(asked(step)),
    },
    {
        name: 'groups inside _some and _none are conditions',
        // For Directus they match everything.
        holds: ({ step, directus, spark }) => directus.status === 200 && spark.status === 200 && /"_(some|none)":\{.*"_(or|and)":/.test(asked(step)),
    },
    {
        name: 'rows that may not be read decide no filter and no order',
        // Directus compares what they hold. For the administrator, who reads everything, the rows and their order are compared.
        holds: ({ step, directus, spark }) => step.actor !== 'admin' && directus.status === 200 && spark.status === 200 && looksElsewhere(step.query ?? step.body?.query),
    },
    {
        name: 'fields that are no names, an alias with the name of the key',
        // Directus answers bare keys for the one, and the aliased values as bare keys for the other.
        holds: ({ step, directus }) => directus.status === 200 && /fields=\{"a":1\}$|alias\[id\]=title&fields=id/.test(step.path),
    },
    // Writes.
    {
        name: 'a list where an object belongs is refused',
        ends: true,
        // Directus writes a row of defaults for it, or finds fields named 0, 1 …
        holds: ({ directus, spark, codes }) => (directus.status === 200 || codes[0] === 'FAILED_VALIDATION') && spark.status === 400 && /must be an object/.test(reasonOf(spark)),
    },
    {
        name: 'a to-any reference leads to a row that is there, of a collection that is allowed',
        ends: true,
        // Directus keeps what no read can follow.
        holds: ({ step, directus, spark }) => directus.status === 200 && isRefusal(spark) && Array.isArray(step.body?.blocks),
    },
    {
        name: 'a number that the database takes and JSON cannot say is refused',
        ends: true,
        holds: ({ step, directus, spark }) => directus.status === 200 && /Invalid number format/.test(reasonOf(spark)) && /"(NaN|-?Infinity)"/.test(asked(step)),
    },
    {
        name: 'a number as text, for an integer',
        ends: true,
        // Directus passes "1e3" and the true of a cast-boolean on, and PostgreSQL refuses them; other numbers are no boolean.
        holds: ({ step, directus, spark }) => (isServerError(directus) && spark.status === 200 && /\{"(flag":(true|"true")|(number|huge)":"\d+e\d+")\}$/.test(asked(step))) ||
            (directus.status === 200 && /Invalid boolean format/.test(reasonOf(spark)) && step.body?.flag === 2),
    },
    {
        name: 'no days by the number of their week or in their year',
        ends: true,
        holds: ({ step, directus, spark }) => directus.status === 200 && /Invalid Date format/.test(reasonOf(spark)) && /"\d{4}-(W\d\d|\d{3}")/.test(asked(step)),
    },
    {
        name: 'a key is not made twice',
        // After a key of the caller's choice, Directus sets the sequence to the largest one that is there; Spark never sets it back.
        holds: ({ step, directus, spark }) => step.path === '/items/quiet' && step.body?.name === 'y' && directus.body.data?.id === 501 && spark.status === 200,
    },
    {
        name: 'what may not be seen decides nothing',
        // Directus filters, sorts and aggregates by values that it then masks, and by related rows that it then leaves out: whoever asks
        // often enough learns them. Spark finds fewer rows, and another order.
        holds: ({ step, directus, spark }) => asksMasked(step) && !/[?&](aggregate|limit|page|offset)\b/.test(step.path) && rowsOf(directus) && rowsOf(spark) && isPartOf(rowsOf(spark), rowsOf(directus)),
    },
    {
        name: 'what may not be seen is not counted, and each row once',
        // The same of aggregations. Directus also counts a row for each related row by which a rule grants it.
        holds: ({ step, directus, spark }) => asksMasked(step) && /[?&]aggregate/.test(step.path) && rowsOf(directus) && rowsOf(spark) && withoutFigures(rowsOf(directus)) === withoutFigures(rowsOf(spark)),
    },
    {
        name: 'all that belongs to a row, partly masked',
        // Behind a reference that is masked Directus still shows the row, keeps a reference to what may not be read where one rule grants all
        // fields and another some, loses related rows whose own reference is masked, and orders by a masked field that is asked for.
        holds: ({ step, directus, spark }) => masked[step.actor] && /fields=\*\.\*/.test(step.path) && rowsOf(directus) && rowsOf(spark) && withoutRelations(rowsOf(directus)) === withoutRelations(rowsOf(spark)),
    },
    {
        name: 'a share shows related rows in their order',
        // Directus orders them by key, because the token may not read the field that orders them.
        holds: ({ step, directus, spark }) => step.line === '{login.access_token} GET /items/articles/2' && directus.status === 200 && spark.status === 200 && isPartOf([spark.body.data], [directus.body.data]),
    },
    {
        name: 'rows to change are chosen by what may be read',
        // Directus chooses them with all rights, and then looks at the right to change.
        holds: ({ step, directus, spark }) => step.method === 'PATCH' && step.body?.query?.filter && isForbidden(directus) && isForbidden(spark),
    },
    {
        name: 'which of several missing rights is told',
        // Whoever may not make a version, a comment or a share may often not read its item either; both is refused alike.
        holds: ({ step, directus, spark }) => /^\/(versions|comments|shares)/.test(step.path) && step.method !== 'GET' && step.actor !== 'admin' && isForbidden(directus) && isForbidden(spark),
    },
    {
        name: 'a share of nothing is told what it lacks',
        // Directus asks for the right to read the collection "undefined".
        holds: ({ step, directus, spark, codes }) => step.line === 'POST /shares' && isForbidden(directus) && /"(undefined|nope)"/.test(reasonOf(directus)) && ['FAILED_VALIDATION', 'INVALID_FOREIGN_KEY'].includes(codes[1]),
    },
    {
        name: 'rights come before the body',
        // Whoever may not do it is not told what is wrong with it.
        holds: ({ step, directus, spark, codes }) => /^\/schema\/(diff|apply)/.test(step.path) && step.actor !== 'admin' && codes[0] === 'INVALID_PAYLOAD' && isForbidden(directus) === false && isForbidden(spark),
    },
    {
        name: 'the activity of a row precedes that of the rows below it',
        // One statement writes a row and its activity; Directus writes the activity after all that the row holds. The rows are the same.
        holds: ({ step, directus, spark }) => /^\/(activity|revisions)\?sort=id&fields=(id|action),/.test(step.path) && rowsOf(directus)?.length === rowsOf(spark)?.length && withoutNumbers(rowsOf(directus)).sort().join() === withoutNumbers(rowsOf(spark)).sort().join(),
    },
    {
        name: 'what did not happen leaves no activity',
        // Directus notes the change of a row that is not there (the key …99 of the sequences).
        holds: ({ step, directus, spark }) => /^\/(activity|revisions)\?/.test(step.path) && rowsOf(directus)?.some(({ item }) => item?.endsWith('-b00000000099')) && asText(rowsOf(directus).filter(({ item }) => !item?.endsWith('-b00000000099'))) === asText(rowsOf(spark)),
    },
    {
        name: 'permissions that every user of the app has are no rows',
        // Directus answers GET /permissions/<a key that nobody has> with the first of them.
        holds: ({ step, directus, spark }) => step.path === '/permissions/99' && directus.body?.data?.system === true && [204, 403].includes(spark.status),
    },
    {
        name: 'a draft holds members of its item',
        // Directus keeps a list as a draft.
        holds: ({ step, directus, spark, codes }) => /^\/versions\/.*\/save$/.test(step.path) && Array.isArray(step.body) && directus.status === 200 && codes[1] === 'INVALID_PAYLOAD',
    },
    {
        name: 'names that paths, queries and PostgreSQL can hold',
        // Directus makes a collection whose name no query can spell, and cuts a name that is too long, which it then does not find.
        holds: ({ step, directus, spark }) => step.path === '/collections' && step.method === 'POST' && [200, 403].includes(directus.status) && /can't (contain the character|be longer than)/.test(reasonOf(spark)),
    },
    {
        name: 'what came with the system stays as it is',
        // Directus writes metadata of its own collections that nothing reads, drops the key of a table, and makes a field of no type.
        holds: ({ step, directus, spark }) =>
            (step.line === 'PATCH /collections/directus_users' && spark.status === 403) || (step.line === 'GET /fields/tales/f' && directus.body?.data?.schema === null && directus.body.data.type === 'alias' && directus.body.data.meta.special === null && spark.status === 403) || (step.line === 'DELETE /fields/tales/id' && spark.status === 409) ||
            (step.line === 'POST /fields/tales' && step.body?.type === 'unknown' && directus.body?.data?.type === 'alias' && spark.status === 400),
    },
    {
        name: 'nothing is sorted, grouped or counted by what is encrypted',
        // Directus sorts by the sealed text, and shows asterisks in place of every figure.
        holds: ({ step, directus, spark }) => /^\/items\/vaults\?.*(sort=-?(code|note)|aggregate|groupBy|json\()/.test(step.path) && [200, 500].includes(directus.status) && isForbidden(spark),
    },
    {
        name: 'a column that cannot hold encrypted text is masked',
        ends: true,
        // Directus writes text into a number, and text that is no JSON into JSON.
        holds: ({ step, directus, spark }) => /^\/items\/vaults/.test(step.path) && /"(count|data)":"/.test(asked(step)) && isServerError(directus) && spark.status === 200,
    },
    {
        name: 'a singleton of which nothing is granted has no defaults',
        // Directus shows the defaults of columns that the token of a share may not read.
        holds: ({ step, directus, spark }) => /^\{login\.access_token\} GET \/items\/home\?/.test(step.line) && directus.body?.data?.id === null && spark.status === 200 && spark.body.data === null,
    },
    {
        name: 'the admin page has a slash at its end',
        // Its scripts are named relative to it.
        holds: ({ step, directus, spark }) => step.path === '/' && directus.status === 302 && spark.status === 302,
    },
];

/** Single fields: on a route, at a path of the answer. */
export const acceptedFields = [
    { name: 'collections say how they belong to sites', on: /^\/collections/, at: /\.meta\.tenant$/ },
    { name: 'no AI and no MCP', on: /^\/server\/info/, at: /\.data\.(ai|mcp)_enabled$/ }, // Spark has neither, and says so.
    { name: 'a reference that may not be seen leads nowhere', on: /^\/items\/(articles|remarks)\?.*fields=.*\./, at: /\.(author|category|article)$/, is: ({ directus, spark }, { actor }) => masked[actor] && typeof directus === 'object' && spark === null }, // Directus masks it alone, and not behind it.
    { name: 'no models of AI', on: /^\/settings/, at: /\.data\.ai_\w+_allowed_models$/ },
    { name: 'a limit of rows', on: /^\/server\/info/, at: /\.data\.queryLimit\.max$/ }, // Spark has one, and says so.
    { name: 'who saved a draft, and when', on: /^\/versions\/.*\/save$|^\/revisions/, at: /\.(data|delta)\b.*\._(date|user)$/ }, // Directus' own notes inside the delta; it takes them out of every other answer.
    { name: 'a draft shows nothing that is encrypted', on: /^\/versions\/|^\/items\/vaults\/1\?version=|^\/revisions/, at: /\.code$/, is: ({ directus, spark }) => directus === 'drafted' && spark === '**********' }, // Directus keeps it as plain text.
    { name: 'what is encrypted was there', on: /^\/revisions\?.*vaults/, at: /\.data\.(code|turned|count|data)$/, is: ({ directus, spark }) => directus === null && spark === '**********' }, // Directus seals texts alone, and fails to open the rest.
    { name: 'a draft holds fields of its item', on: /^\/versions\/.*\/save$/, at: /\.data\.nope$/ },
    { name: 'the key of an item is no change', on: /^\/versions\//, at: /\.data\.delta\.id$/ }, // Directus keeps it in the draft after promoting it.
    { name: 'counts of shares', on: /^\/shares\?/, at: /^\.body\.meta$/ }, // Directus' route forgets them.
    { name: 'revisions hold columns', on: /^\/(activity|revisions)/, at: /\.data\.children$/ }, // Directus adds relations to their own collection.
    { name: 'a sentence ends once', on: /^\/relations/, at: /\.message$/, is: ({ directus, spark }) => directus === `${spark}.` },
    { name: 'what a token lacks', on: /^\/utils\/cache\/clear/, at: /\.(reason|message)$/ }, // Directus says nothing of it.
    { name: 'the hash of an item is written after its version', on: /^\/(activity|revisions)/, at: /\.(data|delta)\.hash$/ }, // so the first revision has none.
    { name: 'a column of bytes is binary', on: /^\/fields\/tales/, at: /\.data\.type$/, is: ({ directus, spark }) => directus === 'unknown' && spark === 'binary' }, // Directus does not know the column that it has made.
    { name: 'the database makes uuid keys', on: /^\/fields\/tales\/id$/, at: /\.default_value$/, is: ({ spark }) => spark === 'gen_random_uuid()' }, // So rows may be inserted by SQL.
];
