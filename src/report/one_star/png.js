for (const button of document.querySelectorAll("button.png")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const svg = button.closest("figure").querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    // 17 cm at 300 dots an inch, on white.
    const scale = 2;
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
    const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    style.textContent = document.getElementById("fig").textContent.replaceAll("(prefers-color-scheme: dark)", "not all");
    svg.prepend(style);
    const text = new XMLSerializer().serializeToString(svg);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = width * scale;
      canvas.height = height * scale;
      canvas.getContext("2d").drawImage(image, 0, 0);
      canvas.toBlob((png) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(png);
        link.download = button.dataset.name + ".png";
        link.click();
      });
    };
    image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  });
}
