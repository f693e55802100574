// The browser asks before a page is left on which something stands that was typed and not saved.

// Nobody loses words with a password. A form that only asks, such as a search, holds nothing to save.
const forms = [...document.querySelectorAll('form[method="post"]')].filter(
  (form) => !form.querySelector("[type=password]"),
);
const sent = new Set();

const isChanged = (box) => {
  if (box.type === "hidden") return false;
  if (box.type === "checkbox" || box.type === "radio") return box.checked !== box.defaultChecked;
  if (box.options) {
    const first = [...box.options].findIndex((option) => option.defaultSelected);
    if (!box.multiple) return box.selectedIndex !== Math.max(first, 0);
    return [...box.options].some((option) => option.selected !== option.defaultSelected);
  }
  return "defaultValue" in box && box.value !== box.defaultValue;
};

// What was refused came back as it was typed, and is on no record either.
const isRefused = (form) =>
  form.querySelector(".govuk-error-message, .errorlist, [role=alert]") &&
  [...form.querySelectorAll("textarea")].some((box) => box.value.trim());

const isUnsent = (form) => !sent.has(form) && ([...form.elements].some(isChanged) || isRefused(form));

const ask = (event) => {
  event.preventDefault();
  // Whoever stays, because of another form, may send this one after all. It runs once they have answered.
  setTimeout(() => {
    for (const form of sent) delete form.dataset.sent;
    sent.clear();
  });
};

// Only while there is something to lose: some browsers keep no page for their Back button that may ask.
const look = () => (forms.some(isUnsent) ? addEventListener : removeEventListener)("beforeunload", ask);

for (const form of forms) {
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  form.addEventListener("submit", () => {
    sent.add(form);
    look();
  });
}
addEventListener("pageshow", () => {
  sent.clear();
  look();
});
look();
