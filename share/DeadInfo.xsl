<?xml version="1.0" encoding="UTF-8"?>
<!-- The pages of DeadSummaryFile.xml and QuietSummaryFile.xml, and of the lists of dead or quiet strips and chips.
     The lists name no style sheet (their bytes are fixed), so only the command "sctcalib show" makes pages of them.
     Files of a quiet search have the same form; only their names tell them apart. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="BadStripsList.xsl"/>

  <xsl:variable name="kind">
    <xsl:choose>
      <xsl:when test="contains($file, 'Quiet') or contains($file, 'quiet')">Quiet</xsl:when>
      <xsl:otherwise>Dead</xsl:otherwise>
    </xsl:choose>
  </xsl:variable>
  <xsl:variable name="item">
    <xsl:choose>
      <xsl:when test="contains(/channels/@folder, 'Chips')">chips</xsl:when>
      <xsl:otherwise>strips</xsl:otherwise>
    </xsl:choose>
  </xsl:variable>

  <!-- The page of a summary -->

  <xsl:template match="/run">
    <xsl:variable name="number" select="value[@name='RunNumber']"/>
    <html lang="en">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="concat($kind, ' strips and chips, run ', $number)"/>
      </xsl:call-template>
      <body class="flag-{value[@name='Flag']}">
        <header>
          <h1><xsl:value-of select="concat($kind, ' strips and chips')"/><span class="run"> run <xsl:value-of select="$number"/></span></h1>
          <span class="badge"><xsl:call-template name="flag-name"/></span>
          <nav><a href="#checks">checks</a><a href="#modules">modules <b><xsl:value-of select="count(modules/module)"/></b></a></nav>
        </header>
        <main>
          <p class="verdict"><xsl:call-template name="verdict"/></p>
          <xsl:call-template name="figures"/>
          <xsl:call-template name="checks"/>
          <xsl:apply-templates select="modules"/>
          <xsl:call-template name="legend"/>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="verdict">
    <xsl:choose>
      <xsl:when test="value[@name='Flag'] = 'G'">The search found something, as it should.</xsl:when>
      <xsl:when test="value[@name='Flag'] = 'R'">Nothing was found, which a search that works hardly ever says: look at events and options.</xsl:when>
      <xsl:otherwise>The upload test is switched off for what was searched.</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="figures">
    <dl class="figures">
      <div class="wide">
        <dt>Time</dt>
        <dd class="text">
          <xsl:call-template name="time"><xsl:with-param name="text" select="value[@name='StartTime']"/></xsl:call-template>
          <xsl:if test="string(value[@name='EndTime'])">
            <small>to <xsl:call-template name="time"><xsl:with-param name="text" select="value[@name='EndTime']"/></xsl:call-template>,
              <xsl:call-template name="duration"/></small>
          </xsl:if>
        </dd>
      </div>
      <xsl:call-template name="figure"><xsl:with-param name="label">Events</xsl:with-param><xsl:with-param name="number" select="value[@name='Events']"/></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Dead modules</xsl:with-param><xsl:with-param name="number" select="value[@name='Modules']"/><xsl:with-param name="note">with two dead links</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Dead links</xsl:with-param><xsl:with-param name="number" select="value[@name='Links']"/><xsl:with-param name="note">modules with one dead link</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label" select="concat($kind, ' chips')"/><xsl:with-param name="number" select="value[@name='Chips']"/><xsl:with-param name="note">with those of dead links</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label" select="concat($kind, ' strips')"/><xsl:with-param name="number" select="value[@name='Strips']"/><xsl:with-param name="note">without those of dead links</xsl:with-param></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template match="modules">
    <section id="modules">
      <h2>Modules</h2>
      <xsl:choose>
        <xsl:when test="not(module)"><p class="none">none</p></xsl:when>
        <xsl:otherwise>
          <xsl:call-template name="filters"/>
          <table class="modules">
            <colgroup><col class="position"/><col class="where"/><col class="serial"/><col class="small"/><col class="type"/><col/></colgroup>
            <thead>
              <tr>
                <th>module</th><th class="where">where</th><th class="serial">serial number</th>
                <th>links</th><th>chips</th><th>strips</th>
              </tr>
            </thead>
            <tbody><xsl:apply-templates select="module"/></tbody>
          </table>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template name="filters">
    <xsl:variable name="c" select="count(module[starts-with(value[@name='BecLayerPhiEta'], '-2.')])"/>
    <xsl:variable name="b" select="count(module[starts-with(value[@name='BecLayerPhiEta'], '0.')])"/>
    <span class="filter">region</span>
    <input type="radio" name="region" id="region-any" checked="checked"/><label for="region-any">all <b><xsl:value-of select="count(module)"/></b></label>
    <input type="radio" name="region" id="region-c"/><label for="region-c">end cap C <b><xsl:value-of select="$c"/></b></label>
    <input type="radio" name="region" id="region-b"/><label for="region-b">barrel <b><xsl:value-of select="$b"/></b></label>
    <input type="radio" name="region" id="region-a"/><label for="region-a">end cap A <b><xsl:value-of select="count(module) - $b - $c"/></b></label>
  </xsl:template>

  <xsl:template match="module">
    <xsl:variable name="position" select="value[@name='BecLayerPhiEta']"/>
    <tr id="m{$position}" class="bec{translate(substring-before($position, '.'), '-', 'm')}">
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td><xsl:value-of select="value[@name='LinkID']"/></td>
      <td><xsl:value-of select="normalize-space(value[@name='ChipID'])"/></td>
      <td><xsl:call-template name="strips"><xsl:with-param name="text" select="normalize-space(value[@name='StripIDOnline'])"/></xsl:call-template></td>
    </tr>
  </xsl:template>

  <!-- The page of a list -->

  <xsl:template match="/channels">
    <html lang="en">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="concat($kind, ' ', $item, ', run ', $run)"/>
      </xsl:call-template>
      <body>
        <header>
          <h1><xsl:value-of select="concat($kind, ' ', $item)"/><span class="run"> run <xsl:value-of select="$run"/></span></h1>
          <nav><a href="#modules">modules <b><xsl:value-of select="count(channel)"/></b></a></nav>
        </header>
        <main>
          <xsl:call-template name="place"/>
          <section id="modules">
            <h2>Modules</h2>
            <xsl:choose>
              <xsl:when test="not(channel)"><p class="none">none</p></xsl:when>
              <xsl:otherwise><xsl:call-template name="channels"/></xsl:otherwise>
            </xsl:choose>
          </section>
          <xsl:call-template name="legend"/>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="channels">
    <table class="channels">
      <colgroup><col class="position"/><col class="where"/><col class="type"/><col class="type"/><col/></colgroup>
      <thead><tr><th>module</th><th class="where">where</th><th>type</th><th>threshold</th><th><xsl:value-of select="$item"/></th></tr></thead>
      <tbody><xsl:apply-templates select="channel"/></tbody>
    </table>
  </xsl:template>

  <xsl:template name="legend">
    <p class="legend">
      Module: bec.layer.phi.eta. Chips: 0–5 on side 0, 6–11 on side 1, in readout order. Links: sides that are dead as a whole.
      Strips: 0–767 on side 0 in readout order, 768–1535 on side 1, by default against readout order.
      Threshold: significance in standard deviations, or for quiet ones the fraction of the mean occupancy that they are below.
    </p>
  </xsl:template>
</xsl:stylesheet>
