// What Directus answered to queries.
import { replaySubjects } from '../../support/golden.mjs';

replaySubjects(['fields', 'filter', 'query', 'random-queries']);
