import { defineConfig } from "vite";
import react from "@vitejs/plugin-react";

export default defineConfig({
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
