// A comfort of the pages of work: boxes that only some statuses need are shown with those. Without it all are there.

for (const part of document.querySelectorAll("[data-only-for]")) {
  const group = part.closest("[role=group]");
  const show = () => {
    const status = group.querySelector("[name$='-status']:checked")?.value;
    // What was typed is never out of sight, because it is sent.
    const isFilled = [...part.querySelectorAll("textarea")].some((box) => box.value.trim());
    const isWrong = part.querySelector(".govuk-error-message");
    part.hidden = !(part.dataset.onlyFor.split(" ").includes(status) || isFilled || isWrong);
  };
  group.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}
