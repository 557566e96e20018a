<?xml version="1.0" encoding="UTF-8"?>
<!-- The pages of LorentzAngleSummaryFile.xml and LorentzAngleFile.xml. The latter names no style sheet
     (its bytes are fixed), so only the command "sctcalib show" makes a page of it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="Monitoring.xsl"/>

  <xsl:variable name="title">Lorentz angle</xsl:variable>

  <xsl:template match="/run">
    <xsl:variable name="flag" select="value[@name='Flag']"/>
    <xsl:variable name="parts" select="data/parts[not(value[@name='layer'] = 1 and value[@name='Module'] = 100)]"/>
    <html lang="en">
      <xsl:call-template name="head"><xsl:with-param name="title" select="concat($title, ', run ', value[@name='RunNumber'])"/></xsl:call-template>
      <body class="flag-{$flag}">
        <header>
          <h1><xsl:value-of select="$title"/><span class="run"> run <xsl:value-of select="value[@name='RunNumber']"/></span></h1>
          <span class="badge"><xsl:call-template name="flag-name"/></span>
        </header>
        <main>
          <p class="verdict">
            <xsl:choose>
              <xsl:when test="$flag = 'G'">All fits converged.</xsl:when>
              <xsl:otherwise><xsl:value-of select="concat(count($parts[value[@name='Fit'] = 0]), ' of ', count($parts), ' fits failed; their numbers are those of the last attempt.')"/></xsl:otherwise>
            </xsl:choose>
          </p>
          <dl class="figures">
            <xsl:call-template name="run-figures"/>
            <xsl:call-template name="angle-figure"><xsl:with-param name="label">Mean angle, &lt;100&gt;</xsl:with-param><xsl:with-param name="parts" select="$parts[value[@name='Module'] = 100 and value[@name='Fit'] = 1]"/></xsl:call-template>
            <xsl:call-template name="angle-figure"><xsl:with-param name="label">Mean angle, &lt;111&gt;</xsl:with-param><xsl:with-param name="parts" select="$parts[value[@name='Module'] = 111 and value[@name='Fit'] = 1]"/></xsl:call-template>
          </dl>
          <section>
            <h2>Barrel</h2>
            <table class="lorentz">
              <thead><tr><th>layer</th><th>side</th><th>type</th><th class="plot">angle, <xsl:call-template name="axis"/></th><th>degrees</th><th>minimum width</th><th>fit</th><th>attempts</th><th>χ²</th></tr></thead>
              <tbody><xsl:apply-templates select="data/parts"/></tbody>
            </table>
          </section>
          <xsl:call-template name="lorentz-legend"/>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="axis">−9° to 2°, line at 0°</xsl:template>

  <xsl:template name="angle-figure">
    <xsl:param name="label"/>
    <xsl:param name="parts"/>
    <xsl:call-template name="text-figure">
      <xsl:with-param name="label" select="$label"/>
      <xsl:with-param name="text">
        <xsl:choose>
          <xsl:when test="$parts"><xsl:value-of select="format-number(sum($parts/value[@name='lorentzAngle']) div count($parts), '0.00')"/>°</xsl:when>
          <xsl:otherwise><span class="none">none</span></xsl:otherwise>
        </xsl:choose>
      </xsl:with-param>
      <xsl:with-param name="note" select="concat('of ', count($parts), ' fits that converged')"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="parts">
    <xsl:variable name="fitted" select="not(value[@name='layer'] = 1 and value[@name='Module'] = 100)"/>
    <tr>
      <xsl:if test="not($fitted)"><xsl:attribute name="class">none</xsl:attribute></xsl:if>
      <td><xsl:value-of select="value[@name='layer']"/></td>
      <td><xsl:value-of select="value[@name='Side']"/></td>
      <td>&lt;<xsl:value-of select="value[@name='Module']"/>&gt;</td>
      <xsl:choose>
        <xsl:when test="not($fitted)"><td></td><td></td><td></td><td colspan="3">no such modules: not fitted</td></xsl:when>
        <xsl:otherwise>
          <td class="plot"><xsl:call-template name="point"><xsl:with-param name="angle" select="value[@name='lorentzAngle']"/><xsl:with-param name="good" select="value[@name='Fit'] = 1"/></xsl:call-template></td>
          <td><b><xsl:value-of select="value[@name='lorentzAngle']"/></b></td>
          <td><xsl:value-of select="value[@name='minClusterWidth']"/></td>
          <td><xsl:choose><xsl:when test="value[@name='Fit'] = 1"><span class="good">converged</span></xsl:when><xsl:otherwise><span class="bad">failed</span></xsl:otherwise></xsl:choose></td>
          <td><xsl:value-of select="value[@name='Attempts']"/></td>
          <td><xsl:value-of select="value[@name='chisq']"/></td>
        </xsl:otherwise>
      </xsl:choose>
    </tr>
  </xsl:template>

  <!-- A point on the axis of the fit's range, with its error -->
  <xsl:template name="point">
    <xsl:param name="angle"/>
    <xsl:param name="error" select="0"/>
    <xsl:param name="good" select="true()"/>
    <span class="axis">
      <xsl:if test="$error &gt; 0"><i class="error" style="--x:{$angle};--e:{$error}"></i></xsl:if>
      <i style="--x:{$angle}"><xsl:attribute name="class">point<xsl:if test="not($good)"> failed-point</xsl:if></xsl:attribute></i>
    </span>
  </xsl:template>

  <!-- LorentzAngleFile.xml -->

  <xsl:template match="/folder">
    <html lang="en">
      <xsl:call-template name="head"><xsl:with-param name="title" select="$title"/></xsl:call-template>
      <body>
        <header><h1><xsl:value-of select="$title"/></h1></header>
        <main>
          <dl class="figures">
            <div class="wide"><dt>Folder</dt><dd class="text"><xsl:value-of select="folderDefinition/@folder"/></dd></div>
          </dl>
          <section>
            <h2>Fits</h2>
            <table class="lorentz">
              <thead><tr><th>layer</th><th>side</th><th>type</th><th class="plot">angle, <xsl:call-template name="axis"/></th><th>degrees</th><th>a</th><th>b</th><th>σ</th><th>minimum width</th><th>f(|error|)</th><th>χ²</th></tr></thead>
              <tbody><xsl:apply-templates select="folderDefinition"/></tbody>
            </table>
          </section>
          <xsl:call-template name="lorentz-legend"/>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="folderDefinition">
    <xsl:variable name="values" select="payloadDescription/payloadType"/>
    <xsl:variable name="layer" select="substring-before(channel/@name, '_')"/>
    <xsl:variable name="fitted" select="not($layer = 1 and $values[@name='moduleType'] = 100)"/>
    <tr>
      <xsl:if test="not($fitted)"><xsl:attribute name="class">none</xsl:attribute></xsl:if>
      <td><xsl:value-of select="$layer"/></td>
      <td><xsl:value-of select="normalize-space(substring-after(channel/@name, '_'))"/></td>
      <td>&lt;<xsl:value-of select="$values[@name='moduleType']"/>&gt;</td>
      <xsl:choose>
        <xsl:when test="not($fitted)"><td></td><td></td><td colspan="6">no such modules: not fitted</td></xsl:when>
        <xsl:otherwise>
          <td class="plot"><xsl:call-template name="point"><xsl:with-param name="angle" select="$values[@name='lorentzAngle']"/><xsl:with-param name="error" select="$values[@name='err_lorentzAngle']"/></xsl:call-template></td>
          <td><b><xsl:value-of select="$values[@name='lorentzAngle']"/></b> ± <xsl:value-of select="$values[@name='err_lorentzAngle']"/></td>
          <td><xsl:value-of select="$values[@name='fitParam_a']"/> ± <xsl:value-of select="$values[@name='err_a']"/></td>
          <td><xsl:value-of select="$values[@name='fitParam_b']"/> ± <xsl:value-of select="$values[@name='err_b']"/></td>
          <td><xsl:value-of select="$values[@name='fitParam_sigma']"/> ± <xsl:value-of select="$values[@name='err_sigma']"/></td>
          <td><xsl:value-of select="$values[@name='minClusterWidth']"/></td>
          <td><xsl:value-of select="$values[@name='err_minClusterWidth']"/></td>
          <td><xsl:value-of select="$values[@name='chisq']"/></td>
        </xsl:otherwise>
      </xsl:choose>
    </tr>
  </xsl:template>

  <xsl:template name="lorentz-legend">
    <p class="legend">
      Fit of the mean cluster width against the incidence angle: a |tan x − tan LA| + b, smeared with a Gaussian of width σ.
      Angle LA and σ in degrees, a in strips per unit of tangent, b and the minimum width f(LA) in strips. Type: crystal orientation of the sensors.
    </p>
  </xsl:template>

  <xsl:template name="more-style">
    <style>
.lorentz { table-layout: auto; }
.lorentz td, .lorentz th { white-space: nowrap; }
.lorentz .plot { width: 30%; min-width: 9rem; }
.lorentz tr.none { color: var(--faint); }
.axis { position: relative; display: block; height: 1.3rem; background: linear-gradient(to right, transparent 0 81.8%, var(--line) 81.8% calc(81.8% + 1px), transparent 0), linear-gradient(var(--line), var(--line)) 0 50% / 100% 1px no-repeat; overflow: hidden; }
.axis i { position: absolute; left: calc((var(--x) + 9) / 11 * 100%); }
.axis .point { top: calc(50% - .3rem); width: .6rem; height: .6rem; margin-left: -.3rem; border-radius: 50%; background: var(--link); }
.axis .failed-point { background: var(--paper); box-shadow: inset 0 0 0 2px var(--bad); }
.axis .error { top: calc(50% - 1px); left: calc((var(--x) - var(--e) + 9) / 11 * 100%); width: calc(2 * var(--e) / 11 * 100%); height: 3px; background: var(--link); }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
@media print { .axis i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
    </style>
  </xsl:template>
</xsl:stylesheet>
