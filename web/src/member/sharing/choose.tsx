//! A new sharing choice.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Notice } from "../../ui/page";
import type { Opened } from "../core/session";
import { Choose } from "../parts/choose";
import { Mine } from "../parts/mine";

export default function ChooseSharing() {
  const { t } = useTranslation("member-mine");
  return (
    <Mine title={t("choose.title")} lead={t("choose.lead")} back={<Link to="/sharing">{t("places./sharing")}</Link>}>
      {(opened, id) => <Own opened={opened} id={id} />}
    </Mine>
  );
}

function Own({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  const queries = useQueryClient();
  const [isDone, setDone] = useState(false);
  if (!isDone) {
    return (
      <Choose
        opened={opened}
        done={(member) => {
          queries.setQueryData(["member", id], member);
          setDone(true);
        }}
      />
    );
  }
  return (
    <div role="status">
      <Notice title={t("choose.done")} tone="good">
        <p>{t("choose.doneText")}</p>
        <p>
          <Link to="/sharing">{t("choose.see")}</Link> · <Link to="/data">{t("choose.add")}</Link>
        </p>
      </Notice>
    </div>
  );
}
