// What componentize-js does last, making a component of the core module, is left to those who call it.

import { fileURLToPath } from "node:url";

/** The module as it is. */
export const componentNew = async (module) => module;

/** The module as it is. */
export const metadataAdd = async (module) => module;

/** A file that can be read. */
export const preview1AdapterReactorPath = () => fileURLToPath(import.meta.url);
