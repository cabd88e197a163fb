// A cell of the first matrix of each level shows its pictures; a second click takes them off.
document.querySelectorAll(".answers").forEach((section) => {
  const figures = [...section.querySelectorAll("figure")];
  const told = section.querySelector(".told");
  section.querySelectorAll("td.cell").forEach((cell) => cell.addEventListener("click", () => {
    const button = cell.querySelector("button");
    const off = button.getAttribute("aria-pressed") === "true";
    section.querySelectorAll("td.cell button").forEach((other) =>
      other.setAttribute("aria-pressed", false));
    button.setAttribute("aria-pressed", !off);
    let count = 0;
    figures.forEach((figure) => {
      const shown = !off && figure.dataset.true === cell.dataset.true
        && figure.dataset.predicted === cell.dataset.predicted;
      figure.classList.toggle("hidden", !shown);
      count += shown;
    });
    told.textContent = off ? "" : `is ${cell.dataset.true}, called ${cell.dataset.predicted}: `
      + `${count} ${count === 1 ? "picture" : "pictures"}`;
  }));
});
