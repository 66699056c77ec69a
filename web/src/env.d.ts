/// <reference types="vite/client" />

/** The digest of the wasm module, which the browser holds it to (subresource integrity). */
declare const __WASM_INTEGRITY__: string;
