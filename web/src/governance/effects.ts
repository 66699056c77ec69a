//! What proposals do: the functions that this page has words for, and what they are about. Where it has none, the gateway's stand.

/** What a change is about: by that a page says what it means for a member. */
export type Matter = "people" | "keepers" | "money" | "rewards" | "research" | "points" | "deciding" | "disputes" | "pause" | "code" | "unknown";

export const EFFECTS = {
  Membership_setRegistrar: "people",
  Membership_setAdmissionsPerEpoch: "people",
  Membership_expel: "people",
  ContributionRegistry_setCooldown: "people",
  StewardCommittee_seat: "keepers",
  StewardCommittee_registerWorker: "keepers",
  StewardCommittee_removeWorker: "keepers",
  StewardCommittee_setGateway: "keepers",
  StewardCommittee_setMinBond: "keepers",
  StewardCommittee_setObjectionBond: "keepers",
  StewardCommittee_openSlash: "keepers",
  StewardCommittee_confirmSlash: "keepers",
  StewardCommittee_rejectSlash: "keepers",
  DatasetCatalog_publish: "research",
  DataToken_setTransfersRestricted: "points",
  DataToken_setListed: "points",
  GovToken_setListed: "deciding",
  Treasury_setSplit: "money",
  SettlementLedger_setParams: "rewards",
  SettlementLedger_setEmission: "rewards",
  Disputes_resolveObjection: "disputes",
  Programs_setProgram: "rewards",
  Programs_setMaxPointsPerEpoch: "rewards",
  Market_setDataTerms: "points",
  Market_setRefundWindow: "research",
  EthicsRegistry_setEthicsBoard: "research",
  EthicsRegistry_withdraw: "research",
  any_setBondRequired: "research",
  AuctionHouse_setTerms: "research",
  ComputeDesk_setPrice: "research",
  ComputeDesk_setTimeout: "research",
  ResearcherBond_setTerms: "research",
  ResearcherBond_slash: "research",
  ServiceDesk_setService: "points",
  OperatorPay_setRates: "money",
  Buyback_setTerms: "points",
  Vesting_create: "points",
  Vesting_revoke: "points",
  Treasury_spend: "money",
  Treasury_spendToken: "money",
  any_setQuorumFloor: "deciding",
  PauseGuard_unpause: "pause",
  any_upgradeToAndCall: "code",
  CharterGate_approve: "code",
} as const satisfies Record<string, Matter>;
export type Effect = keyof typeof EFFECTS;

/** Those with something to consider before voting. */
export const WARNED = [
  "Membership_expel",
  "StewardCommittee_seat",
  "StewardCommittee_openSlash",
  "StewardCommittee_confirmSlash",
  "SettlementLedger_setParams",
  "SettlementLedger_setEmission",
  "Disputes_resolveObjection",
  "ResearcherBond_slash",
  "Vesting_revoke",
  "Treasury_spend",
  "Treasury_spendToken",
  "any_setQuorumFloor",
  "any_upgradeToAndCall",
  "CharterGate_approve",
] as const satisfies Effect[];
export type Warned = (typeof WARNED)[number];
export const warnedOf = (effect: Effect | undefined): Warned | undefined => WARNED.find((one) => one === effect);

/** The function's name without its arguments. */
export const nameOf = (signature: string): string => signature.split("(")[0] ?? signature;

export function effectOf({ contract, function: signature }: { contract: string; function: string }): Effect | undefined {
  const name = nameOf(signature);
  return [`${contract}_${name}`, `any_${name}`].find((key): key is Effect => key in EFFECTS);
}

export const matterOf = (call: { contract: string; function: string }): Matter => {
  const effect = effectOf(call);
  return effect ? EFFECTS[effect] : "unknown";
};

type Called = { readonly contract: string; readonly function: string; readonly data: string };

/** By such a call a house agrees to what both have to agree on. */
export const isApproval = (call: Pick<Called, "contract" | "function">): boolean => effectOf(call) === "CharterGate_approve";

/**
 * The place of the one approval that is of the carried calls. Of several it is the one of this operation; where that is not known it is none, and
 * what each approves is not known either.
 */
export function approvalOf(calls: readonly Called[], charter: readonly unknown[], operation?: string): number | undefined {
  if (charter.length === 0) return undefined;
  const all = calls.flatMap((call, at) => (isApproval(call) ? [at] : []));
  const isIt = (at: number | undefined) => operation !== undefined && at !== undefined && calls[at]?.data.slice(10).toLowerCase() === operation.slice(2).toLowerCase();
  if (operation !== undefined) return all.find(isIt);
  return all.length === 1 ? all[0] : undefined;
}

/** What the gateway says of each approval, for which this page has its own words. */
const ABOUT_APPROVALS = ["this function is not in the table", "the description does not carry the calls"];
/** Warnings that this page does not say in its own words. */
export const othersOf = (call: Pick<Called, "contract" | "function"> & { readonly warnings: readonly string[] }): string[] =>
  isApproval(call) ? call.warnings.filter((warning) => !ABOUT_APPROVALS.some((known) => warning.startsWith(known))) : call.warnings.slice(warnedOf(effectOf(call)) ? 1 : 0);

/** Values that this page has names for. */
export const VALUES = [
  ...["admissionsPerEpoch", "cooldown", "minBond", "objectionBond", "amount", "pricePerThousand", "termsHash", "dataType", "source", "auctioned"],
  ...["dataPrice", "open", "buyback", "operations", "compliance", "reserve", "serviceId", "id", "datasetId", "to"],
  ...["account", "beneficiary", "memberId", "steward", "registrar", "gateway", "ethicsBoard", "researcher", "purpose", "quorum"],
  ...["bucket", "required", "refundWindow", "timeout", "dataPerUsdc", "burnBps", "stewardPerEpoch", "workerPerReceipt", "lot", "startData"],
  ...["floorData", "start", "cliff", "duration", "revocable", "newImplementation", "quorumFloor", "reason", "reasonHash", "on"],
  ...["upheld", "epoch", "operation", "immediateBps", "vestingEpochs", "floorBps", "mixUsage", "mixData", "mixEarly", "smoothing"],
  ...["qMin", "epochLength", "dataCap", "govCap"],
] as const;
export type Value = (typeof VALUES)[number];
/** Without where it stands, and without the mark that sets an argument apart from what it replaces. */
export const valueOf = (what: string): Value | undefined => {
  const bare = (what.split(".").at(-1) ?? what).replace(/_$/, "");
  return VALUES.find((known) => known === bare);
};

/** A programmer's name as words: `maxStreak` is “max streak”. */
export const wordsOfName = (name: string): string =>
  name
    .replaceAll(/[._]/g, " ")
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase();

/** Parts of the cooperative that this page has names for. */
export const PARTS = [
  ...["Membership", "ConsentRegistry", "ContributionRegistry", "StewardCommittee", "DatasetCatalog", "DataToken", "GovToken", "Treasury", "SettlementLedger"],
  ...["Disputes", "Programs", "Market", "License", "EthicsRegistry", "AuctionHouse", "ComputeDesk", "ResearcherBond", "ServiceDesk"],
  ...["OperatorPay", "Buyback", "Vesting", "PauseGuard", "CharterGate", "MemberGovernor", "TokenGovernor"],
] as const;
export const partOf = (contract: string) => PARTS.find((part) => part === contract);
