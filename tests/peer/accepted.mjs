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
        name: 'the admin page has a slash at its end',
        // Its scripts are named relative to it.
        holds: ({ step, directus, spark }) => step.path === '/' && directus.status === 302 && spark.status === 302,
    },
];

/** Single fields: on a route, at a path of the answer. */
export const acceptedFields = [
    { name: 'collections say how they belong to sites', on: /^\/collections/, at: /\.meta\.tenant$/ },
    { name: 'no AI and no MCP', on: /^\/server\/info/, at: /\.data\.(ai|mcp)_enabled$/ }, // Spark has neither, and says so.
];
