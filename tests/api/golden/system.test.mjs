// What Directus answered about its own collections and the schema.
import { replaySubjects } from '../../support/golden.mjs';

replaySubjects(['crud', 'schema', 'system']);
