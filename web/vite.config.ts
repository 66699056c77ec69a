import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";
import react from "@vitejs/plugin-react";

const wasm = readFileSync(new URL("wasm/rochdale_bg.wasm", import.meta.url));
const integrity = `sha384-${createHash("sha384").update(wasm).digest("base64")}`;

export default defineConfig({
  define: { __WASM_INTEGRITY__: JSON.stringify(integrity) },
  plugins: [react()],
  build: {
    // Nothing may be inlined as a data: URL that the policy in headers.json does not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  worker: { format: "es" },
  server: {
    proxy: { "/v1": process.env["GATEWAY"] ?? "http://127.0.0.1:8400" },
  },
});
