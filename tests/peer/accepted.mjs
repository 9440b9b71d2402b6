// Where Spark means to answer otherwise than Directus 11.17.4. Each rule says why; there are no others.

const isServerError = (answer) => answer.status >= 500;
const reasonOf = (answer) => answer.body?.errors?.[0]?.extensions?.reason ?? '';
const outOfBounds = new Set(['VALUE_TOO_LONG', 'VALUE_OUT_OF_RANGE']);

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
