import type common from "./en/common.json";
import type effects from "./en/effects.json";
import type governance from "./en/governance.json";
import type member from "./en/member.json";
import type memberJoin from "./en/member-join.json";
import type memberMine from "./en/member-mine.json";
import type memberVote from "./en/member-vote.json";
import type operator from "./en/operator.json";
import type publicWords from "./en/public.json";
import type ethics from "./en/ethics.json";
import type researcher from "./en/researcher.json";
import type researcherAsk from "./en/researcher-ask.json";
import type researcherBuy from "./en/researcher-buy.json";
import type researcherSale from "./en/researcher-sale.json";
import type researcherChain from "./en/researcher-chain.json";

export interface Words {
  common: typeof common;
  effects: typeof effects;
  governance: typeof governance;
  member: typeof member;
  "member-join": typeof memberJoin;
  "member-mine": typeof memberMine;
  "member-vote": typeof memberVote;
  operator: typeof operator;
  public: typeof publicWords;
  ethics: typeof ethics;
  researcher: typeof researcher;
  "researcher-ask": typeof researcherAsk;
  "researcher-buy": typeof researcherBuy;
  "researcher-chain": typeof researcherChain;
  "researcher-sale": typeof researcherSale;
}
export type Room = Exclude<keyof Words, "common">;

declare module "i18next" {
  // A key that has no English words does not compile.
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: Words;
  }
}
