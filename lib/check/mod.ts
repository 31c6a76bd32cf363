/**
 * Checks of input: schemas of keys and addresses, and how a problem in an input is told.
 *
 * @module
 */
export { addressSchema } from "./addresses.ts";
export { formatJsonFile, parseWith } from "./json.ts";
export { isKeyName, isKeyStart, isKeyText, WANTED_KEY, WANTED_NAME } from "./key_names.ts";
export { PUBLIC_KEY_TEXT, publicKeySchema } from "./keys.ts";
export { formatProblems, type InputProblem, problemsOf } from "./problems.ts";
