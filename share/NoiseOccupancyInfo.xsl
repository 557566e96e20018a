<?xml version="1.0" encoding="UTF-8"?>
<!-- The pages of NoiseOccupancySummaryFile.xml and NoiseOccupancyFile.xml. The latter names no style sheet
     (its bytes are fixed), so only the command "sctcalib show" makes a page of it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="Monitoring.xsl"/>

  <xsl:variable name="title">Noise occupancy</xsl:variable>
  <xsl:variable name="scale">noise</xsl:variable>
  <xsl:variable name="power" select="5"/>
  <xsl:variable name="unit">× 10⁻⁵</xsl:variable>
  <xsl:variable name="note">Hits per strip, event and time bin. Sides without data count as 0 in averages over a layer or ring.</xsl:variable>

  <xsl:template name="low-label">10⁻⁶</xsl:template>
  <xsl:template name="high-label">10⁻²</xsl:template>

  <xsl:template name="side-figures">
    <xsl:variable name="values" select="channel/value[@name='NoiseOccupancy']"/>
    <xsl:variable name="mean"><xsl:call-template name="shifted"><xsl:with-param name="number" select="sum($values) div count($values)"/></xsl:call-template></xsl:variable>
    <dl class="figures">
      <xsl:call-template name="text-figure">
        <xsl:with-param name="label">Mean occupancy</xsl:with-param>
        <xsl:with-param name="text"><xsl:call-template name="digits"><xsl:with-param name="number" select="number($mean)"/></xsl:call-template><span class="unit"><xsl:value-of select="$unit"/></span></xsl:with-param>
        <xsl:with-param name="note">of all sides</xsl:with-param>
      </xsl:call-template>
      <xsl:call-template name="figure"><xsl:with-param name="label">Occupancy 0</xsl:with-param><xsl:with-param name="number" select="count($values[. = 0])"/><xsl:with-param name="note">sides</xsl:with-param></xsl:call-template>
      <div class="wide"><dt>Folder</dt><dd class="text"><xsl:value-of select="@folder"/><small><xsl:value-of select="concat(@schema, ' / ', @dbname)"/></small></dd></div>
      <div class="wide"><dt>Tag</dt><dd class="text"><xsl:value-of select="@tag"/><small><xsl:value-of select="@server"/></small></dd></div>
    </dl>
  </xsl:template>

  <xsl:template name="list">
    <h2>Highest occupancies <span class="state">the first <xsl:value-of select="$extreme"/> sides</span></h2>
    <table>
      <xsl:call-template name="side-columns"/>
      <tbody>
        <xsl:for-each select="channel">
          <xsl:sort select="value[@name='NoiseOccupancy']" data-type="number" order="descending"/>
          <xsl:if test="position() &lt;= $extreme"><xsl:apply-templates select="."/></xsl:if>
        </xsl:for-each>
      </tbody>
    </table>
  </xsl:template>
</xsl:stylesheet>
