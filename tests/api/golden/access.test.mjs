// What Directus answered to those who may not do everything.
import { replaySubjects } from '../../support/golden.mjs';

replaySubjects(['access', 'random-rights', 'shares']);
