//! Every route. A page is a file; it is loaded with its room's words when it is gone to.
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { options, type Read } from "./api/read";
import { loadWords } from "./i18n";
import type { Room } from "./i18n/words";
import { Broken, Missing, Opening } from "./ui/broken";
import { Layout } from "./ui/layout";

interface Context {
  queries: QueryClient;
}

/** A page's file: the page, and what it needs from the API for these parameters. */
interface PageFile {
  default: ComponentType;
  needs?: (parameters: Record<string, string>) => Read<unknown>[];
}

const root = createRootRouteWithContext<Context>()({ component: Layout, notFoundComponent: Missing });

function page<const Path extends string>(path: Path, rooms: Room | Room[], load: () => Promise<PageFile>) {
  return createRoute({
    path,
    getParentRoute: () => root,
    // Words and code are waited for; what the gateway says is asked for and shown as it comes.
    loader: async ({ context, params }) => {
      const [file] = await Promise.all([load(), loadWords(rooms)]);
      file.needs?.(params as Record<string, string>).forEach((read) => void context.queries.prefetchQuery(options(read)));
    },
    component: lazyRouteComponent(load),
  });
}

const routes = root.addChildren([
  page("/", "public", () => import("./public/front")),
  page("/licenses", "public", () => import("./public/licenses")),
  page("/treasury", "public", () => import("./public/treasury")),
  page("/epochs", "public", () => import("./public/epochs")),
  page("/epochs/$epoch", "public", () => import("./public/epoch")),
  page("/datasets", "researcher", () => import("./researcher/datasets")),
  page("/datasets/$dataset", "researcher", () => import("./researcher/dataset")),
  page("/try", "researcher", () => import("./researcher/try")),
  page("/request", ["researcher-buy", "researcher-chain"], () => import("./researcher/request")),
  page("/buy/$dataset", ["researcher-buy", "researcher-chain"], () => import("./researcher/buy")),
  page("/desk", ["researcher-sale", "researcher-buy", "researcher-chain"], () => import("./researcher/desk")),
  page("/invoice/$license", ["researcher-buy", "researcher-chain"], () => import("./researcher/invoice")),
  page("/auction/$dataset", ["researcher-sale", "researcher-buy", "researcher-chain"], () => import("./researcher/auction")),
  page("/compute/$dataset", ["researcher-sale", "researcher-buy", "researcher-chain"], () => import("./researcher/compute")),
  page("/ask", ["researcher-ask", "researcher-buy", "researcher-chain"], () => import("./researcher/ask")),
  page("/answers/$order", ["researcher-ask", "researcher-chain"], () => import("./researcher/answer")),
  page("/ethics", ["ethics", "researcher-buy", "researcher-chain"], () => import("./ethics/board")),
  page("/proposals", "governance", () => import("./governance/proposals")),
  page("/proposals/$proposal", ["governance", "effects"], () => import("./governance/proposal")),
  page("/delegates", "governance", () => import("./governance/delegates")),
  page("/houses", "governance", () => import("./governance/houses")),
  page("/charter", ["governance", "effects"], () => import("./governance/charter")),
  page("/polls", "governance", () => import("./governance/polls")),
  page("/polls/$poll", "governance", () => import("./governance/poll")),
  page("/kpis", "operator", () => import("./operator/kpis")),
  page("/kpis/$kpi", "operator", () => import("./operator/kpi")),
  page("/operations", ["operator", "governance", "effects"], () => import("./operator/operations")),
  page("/log", ["operator", "public", "effects"], () => import("./operator/log")),
  page("/health", "operator", () => import("./operator/health")),
  page("/check", "member", () => import("./member/check")),
  page("/join", ["member-join", "member-mine"], () => import("./member/join")),
  page("/home", "member-mine", () => import("./member/home")),
  page("/data", ["member-mine", "member"], () => import("./member/data")),
  page("/sharing", "member-mine", () => import("./member/sharing")),
  page("/sharing/choose", "member-mine", () => import("./member/sharing/choose")),
  page("/sharing/stop", "member-mine", () => import("./member/sharing/stop")),
  page("/sharing/delete", "member-mine", () => import("./member/sharing/delete")),
  page("/uses", "member-mine", () => import("./member/uses")),
  page("/money", "member-mine", () => import("./member/money")),
  page("/rewards", ["member-mine", "member-vote"], () => import("./member/rewards")),
  page("/vote", ["member-mine", "member-vote", "governance"], () => import("./member/vote")),
  page("/vote/weight", ["member-mine", "member-vote", "governance"], () => import("./member/vote/weight")),
  page("/vote/ask", ["member-mine", "member-vote", "governance"], () => import("./member/vote/ask")),
  page("/vote/polls/$poll", ["member-mine", "member-vote", "governance"], () => import("./member/vote/poll")),
  page("/vote/$proposal", ["member-mine", "member-vote", "governance", "effects"], () => import("./member/vote/proposal")),
  page("/help", ["member-mine", "member-join"], () => import("./member/help")),
]);

export const routerOf = (queries: QueryClient) =>
  createRouter({
    routeTree: routes,
    context: { queries },
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultErrorComponent: Broken,
    defaultNotFoundComponent: Missing,
    defaultPendingComponent: Opening,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof routerOf>;
  }
}
