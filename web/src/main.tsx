import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isWorthAnotherTry } from "./api/read";
import { startWords } from "./i18n";
import { routerOf } from "./router";
import "./ui/style/tokens.css";
import "./ui/style/base.css";
import "./ui/style/layout.css";
import "./ui/style/parts.css";

const queries = new QueryClient({
  defaultOptions: {
    // Without `always`, a browser that believes itself offline would show "loading" for ever, also for a gateway on this machine.
    queries: { staleTime: 10_000, retry: isWorthAnotherTry, retryDelay: 700, networkMode: "always" },
  },
});
const router = routerOf(queries);

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

await startWords();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
