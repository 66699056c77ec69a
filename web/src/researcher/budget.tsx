//! What is left of people's privacy budgets, as far as anybody may know.
import { useTranslation } from "react-i18next";
import { type BudgetView, readBudget } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { rhoOf } from "./rho";

export function BudgetLeft() {
  const budget = useRead(readBudget());
  return <Await of={[budget]}>{(charged) => <Left budget={charged} />}</Await>;
}

function Left({ budget: { debits, rho, limits } }: { budget: BudgetView }) {
  const { t } = useTranslation("researcher-buy");
  const least = leastLeft({ rho, limits });
  const charged = t("budget.charged", { count: debits, rho: rhoOf(rho) });
  if (!limits || least === undefined) return <p>{`${charged} ${t("budget.unknown")}`}</p>;
  return (
    <p>
      {t("budget.limits", { lifetime: rhoOf(limits.lifetime), year: rhoOf(Math.min(limits.per_year, limits.lifetime)) })} {charged} {least > 0 ? t("budget.left", { least: rhoOf(least) }) : t("budget.spent")}
    </p>
  );
}

/** What is left at least to whoever was asked each time; later years and questions that asked others leave more. */
export const leastLeft = ({ rho, limits }: Pick<BudgetView, "rho" | "limits">): number | undefined => (limits ? Math.max(0, Math.min(limits.lifetime, limits.per_year) - rho) : undefined);
