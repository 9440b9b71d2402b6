// Where Spark means to answer otherwise than Directus 11.17.4. Each rule says why; there are no others.

const isServerError = (answer) => answer.status >= 500;

export const accepted = [
    {
        name: 'a clean refusal in place of an error of the database',
        // A value of the wrong type reaches PostgreSQL in Directus and comes back as 500 with the statement in it.
        holds: ({ directus, spark }) => isServerError(directus) && spark.status >= 400 && spark.status < 500,
    },
];
