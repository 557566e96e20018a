<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of NoisyLBSummaryFile.xml. XSLT 1.0. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="BadStrips.xsl"/>
  <xsl:strip-space elements="lumiblocks lumiblock"/>

  <xsl:template match="/run">
    <xsl:variable name="flag" select="value[@name='Flag']"/>
    <xsl:variable name="number" select="value[@name='RunNumber']"/>
    <html lang="en">
      <xsl:call-template name="head"><xsl:with-param name="title" select="concat('Noisy lumi blocks, run ', $number)"/></xsl:call-template>
      <body class="flag-{$flag}">
        <header>
          <h1>Noisy lumi blocks<span class="run"> run <xsl:value-of select="$number"/></span></h1>
          <span class="badge"><xsl:call-template name="flag-name"/></span>
          <nav>
            <a href="#lumiblocks">lumi blocks <b><xsl:value-of select="count(lumiblocks/lumiblock)"/></b></a>
            <a href="#chips">chips <b><xsl:value-of select="count(chips/chip)"/></b></a>
          </nav>
        </header>
        <main>
          <p class="verdict">
            <xsl:choose>
              <xsl:when test="$flag='G'">No chip was noisy in any lumi block.</xsl:when>
              <xsl:when test="$flag='Y'">Some chips were noisy, the detector as a whole was not.</xsl:when>
              <xsl:when test="$flag='R'">The detector was noisy in the lumi blocks <xsl:value-of select="value[@name='NoisyLB']"/>.</xsl:when>
              <xsl:otherwise>No lumi block has enough events to be judged.</xsl:otherwise>
            </xsl:choose>
          </p>
          <xsl:call-template name="figures"/>
          <xsl:apply-templates select="lumiblocks"/>
          <xsl:apply-templates select="chips"/>
          <p class="legend">
            Lumi blocks have their real numbers. Module: bec.layer.phi.eta. Chips: 0–5 on side 0, 6–11 on side 1, in readout order.
            Occupancy: hits per strip and event of the whole detector, in units of 10⁻⁵.
          </p>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
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
      <xsl:call-template name="figure"><xsl:with-param name="label">Events</xsl:with-param><xsl:with-param name="number" select="value[@name='Events']"/><xsl:with-param name="note" select="concat('in ', value[@name='LB'], ' lumi blocks')"/></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Judged</xsl:with-param><xsl:with-param name="number" select="value[@name='LBJudged']"/><xsl:with-param name="note">lumi blocks with enough events</xsl:with-param></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Noisy lumi blocks</xsl:with-param><xsl:with-param name="number" select="count(lumiblocks/lumiblock[value[@name='Noisy'] = 1])"/><xsl:with-param name="note" select="value[@name='NoisyLB']"/></xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Noisy chips</xsl:with-param><xsl:with-param name="number" select="value[@name='Chips']"/><xsl:with-param name="note">in some lumi block</xsl:with-param></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template match="lumiblocks">
    <section id="lumiblocks">
      <h2>Lumi blocks with noisy chips</h2>
      <xsl:choose>
        <xsl:when test="not(lumiblock)"><p class="none">none</p></xsl:when>
        <xsl:otherwise>
          <table class="lumiblocks">
            <thead><tr><th>lumi block</th><th>events</th><th>occupancy, 10⁻⁵</th><th>noisy chips</th><th>part of all chips</th><th>verdict</th></tr></thead>
            <tbody><xsl:apply-templates select="lumiblock"/></tbody>
          </table>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template match="lumiblock">
    <tr>
      <td class="position"><xsl:value-of select="value[@name='LB']"/></td>
      <td><xsl:value-of select="format-number(value[@name='Events'], '#,##0')"/></td>
      <td><xsl:call-template name="scaled"><xsl:with-param name="text" select="value[@name='Occupancy']"/><xsl:with-param name="power" select="5"/></xsl:call-template></td>
      <td><xsl:value-of select="format-number(value[@name='Chips'], '#,##0')"/></td>
      <td>
        <xsl:call-template name="scaled"><xsl:with-param name="text" select="value[@name='ChipFraction']"/><xsl:with-param name="power" select="2"/></xsl:call-template> %
      </td>
      <td><xsl:if test="value[@name='Noisy'] = 1"><span class="strips-new">noisy</span></xsl:if></td>
    </tr>
  </xsl:template>

  <!-- A number such as 1.5e-06 times a power of ten: XSLT 1.0 does not know exponents -->
  <xsl:template name="scaled">
    <xsl:param name="text"/>
    <xsl:param name="power"/>
    <xsl:variable name="mantissa" select="number(substring-before(concat($text, 'e'), 'e'))"/>
    <xsl:variable name="exponent" select="number(translate(concat('0', substring-after($text, 'e')), '+-', ''))"/>
    <xsl:variable name="sign" select="1 - 2 * contains($text, 'e-')"/>
    <xsl:call-template name="shifted">
      <xsl:with-param name="number" select="$mantissa"/>
      <xsl:with-param name="by" select="$sign * $exponent + $power"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="shifted">
    <xsl:param name="number"/>
    <xsl:param name="by"/>
    <xsl:choose>
      <xsl:when test="$by &gt; 0"><xsl:call-template name="shifted"><xsl:with-param name="number" select="$number * 10"/><xsl:with-param name="by" select="$by - 1"/></xsl:call-template></xsl:when>
      <xsl:when test="$by &lt; 0"><xsl:call-template name="shifted"><xsl:with-param name="number" select="$number div 10"/><xsl:with-param name="by" select="$by + 1"/></xsl:call-template></xsl:when>
      <xsl:otherwise><xsl:value-of select="format-number($number, '#,##0.###')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="chips">
    <section id="chips">
      <h2>Noisy chips</h2>
      <xsl:choose>
        <xsl:when test="not(chip)"><p class="none">none</p></xsl:when>
        <xsl:otherwise>
          <table class="chips">
            <colgroup><col class="position"/><col class="where"/><col class="serial"/><col class="small"/><col class="small"/><col class="fraction"/><col/></colgroup>
            <thead>
              <tr>
                <th>module</th><th class="where">where</th><th class="serial">serial number</th><th>side</th><th>chip</th>
                <th>noisy fraction</th><th>noisy lumi blocks</th>
              </tr>
            </thead>
            <tbody><xsl:apply-templates select="chip"/></tbody>
          </table>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template match="chip">
    <xsl:variable name="position" select="value[@name='BecLayerPhiEta']"/>
    <xsl:variable name="percent">
      <xsl:call-template name="scaled"><xsl:with-param name="text" select="value[@name='LBFraction']"/><xsl:with-param name="power" select="2"/></xsl:call-template>
    </xsl:variable>
    <tr>
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td class="serial"><xsl:value-of select="value[@name='SN']"/></td>
      <td><xsl:value-of select="floor(value[@name='ChipID'] div 6)"/></td>
      <td><xsl:value-of select="value[@name='ChipID']"/></td>
      <td class="fraction"><span class="gauge"><i style="width:{$percent}%"></i></span><xsl:value-of select="$percent"/> %</td>
      <td><div class="list"><xsl:value-of select="value[@name='LB']"/></div></td>
    </tr>
  </xsl:template>
</xsl:stylesheet>
