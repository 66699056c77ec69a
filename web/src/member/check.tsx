import { useTranslation } from "react-i18next";
import { PageHead } from "../ui/page";

export default function Check() {
  const { t } = useTranslation("member");
  return <PageHead title={t("check.title")} />;
}
