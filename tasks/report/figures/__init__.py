"""The report's figures as SVG: drawn from its parts, styled by ``templates/figures.css``, kept as files by ``save``."""
